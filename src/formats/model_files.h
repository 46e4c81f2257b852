// The front door to stored models: says what a path holds, and reads its config and weights.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "formats/model_reader.h"
#include "model/config.h"
#include "model/parameters.h"

namespace weft {

enum class ModelFormat {
  kLlmc,         // an llm.c `.bin` file
  kSafetensors,  // a `.safetensors` file with its config.json beside it
  kHfDirectory,  // a directory that holds config.json: from Hugging Face, or a weft checkpoint
};

struct ModelLocation {
  ModelFormat format;
  std::filesystem::path path;  // for a run directory, its newest complete checkpoint
  // Where the files that go with the model are: config.json, the tokenizer's.
  std::filesystem::path directory() const;
};

// Accepts each of the above, and a weft run directory (it holds checkpoints/step_<number>/).
// Throws Error (kInput) that lists the accepted forms.
ModelLocation find_model(const std::filesystem::path& path);

// These accept what find_model accepts. They throw Error (kInput) where a file is not as its format
// demands or, for weights, where its model is not that of weights.table.
Config read_model_config(const std::filesystem::path& path);
std::unique_ptr<ModelReader> open_model(const std::filesystem::path& path);
NonFiniteWeights read_model_weights(const std::filesystem::path& path,
                                    const ParameterView& weights);

// The directory of the model if it holds a tokenizer too (see open_tokenizer); "" if not.
std::string find_tokenizer_beside(const std::filesystem::path& path);

// The files of a tokenizer under the names that Hugging Face gives them.
inline constexpr std::array<const char*, 6> kTokenizerFiles = {
    "tokenizer.json",          "vocab.json",       "merges.txt", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json"};

// Those of them that are in ModelLocation::directory().
std::vector<std::filesystem::path> tokenizer_files_beside(const std::filesystem::path& path);

// The id that ends a text: what config.json says or, where that is silent, the last of the
// vocabulary, as in GPT-2. Throws Error (kInput) as read_model_config.
int64_t read_end_of_text(const std::filesystem::path& path);

// The checkpoint directory with the highest step that holds a model, under `<run>/checkpoints`; an
// empty path if there is none.
std::filesystem::path newest_checkpoint(const std::filesystem::path& run_directory);

}  // namespace weft
