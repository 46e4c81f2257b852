// ModelTarget: the place where a model is to be written; its kind follows its name.
//
//   x.bin          an llm.c file
//   x.safetensors  the tensors in one file, and config.json beside it if there is none yet
//   anything else  a Hugging Face directory: model.safetensors, config.json,
//                  generation_config.json, and the tokenizer's files
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "formats/dtype.h"
#include "formats/model_files.h"
#include "formats/model_reader.h"

namespace weft {

// What a target receives.
struct ModelCopy {
  const ParameterTable& table;
  ParameterValues values_of;  // asked once for each parameter
  int64_t end_of_text = 0;
  DType dtype = DType::F32;                            // or BF16
  std::vector<std::filesystem::path> tokenizer_files;  // only a directory takes them
};

class ModelTarget {
 public:
  explicit ModelTarget(const std::filesystem::path& path);

  ModelFormat format() const { return format_; }

  // Throws Error (kInput) if writing would harm what is there: always where that is the source, a
  // weft checkpoint or run, or a config.json of another model; and where it is a file, a model or a
  // tokenizer of its own, unless the user wants to `replace` it.
  void check(const ModelReader& source, const std::vector<std::filesystem::path>& tokenizer_files,
             bool replace) const;

  // A file appears by rename. A directory is complete before it gets its config.json, without which
  // it is no model. What was there stays until the new model is on disk; then no file of the old
  // model or tokenizer is left beside the new one. Throws Error (kFailure).
  void write(const ModelCopy& model) const;

 private:
  void check_file(const ModelReader& source, bool replace) const;
  void check_directory(const ModelReader& source) const;
  void check_replaced(const std::vector<std::filesystem::path>& tokenizer_files) const;
  void write_directory(const ModelCopy& model) const;

  std::filesystem::path path_;
  ModelFormat format_;
};

}  // namespace weft
