// The front door to stored models: finds the model that a path names, in whatever format, and reads
// it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/model_format.h"
#include "formats/model_reader.h"
#include "model/config.h"
#include "model/parameters.h"

namespace weft {

struct ModelLocation {
  const ModelFormat& format;
  std::filesystem::path path;  // for a run directory, its newest complete checkpoint
  // The directory of the files that belong to the model: config.json, the tokenizer's.
  std::filesystem::path directory() const;
};

// Accepts a model of each of model_formats(), and a weft run directory.
// Throws Error (kInput) that lists the accepted forms.
ModelLocation find_model(const std::filesystem::path& path);

// These accept what find_model accepts. They throw Error (kInput) where a file is not as its format
// demands or, for weights, where its model is not that of weights.table.
Config read_model_config(const std::filesystem::path& path);
std::unique_ptr<ModelReader> open_model(const std::filesystem::path& path);
NonFiniteWeights read_model_weights(const std::filesystem::path& path,
                                    const ParameterView& weights);
// The id that ends a text.
int64_t read_end_of_text(const std::filesystem::path& path);

// The directory of the model if it holds a tokenizer too (see open_tokenizer); "" if not.
std::string find_tokenizer_beside(const std::filesystem::path& path);

// The kTokenizerFiles (formats/hf_files.h) that are in ModelLocation::directory().
std::vector<std::filesystem::path> tokenizer_files_beside(const std::filesystem::path& path);

// The newest checkpoint of the run that holds a model; an empty path if there is none.
std::filesystem::path newest_checkpoint(const std::filesystem::path& run_directory);

// The extensions of all formats that are files: ".bin or .safetensors".
std::string file_extensions(std::string_view separator);

}  // namespace weft
