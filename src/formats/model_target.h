// ModelTarget: the place where a model is to be written. Its format follows from its name: that of
// a file with the name's extension (x.bin, x.safetensors), else a Hugging Face directory.
#pragma once

#include <filesystem>
#include <vector>

#include "formats/model_format.h"
#include "formats/model_reader.h"

namespace weft {

class ModelTarget {
 public:
  explicit ModelTarget(const std::filesystem::path& path);

  const ModelFormat& format() const { return format_; }

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
  void check_file(bool replace) const;

  std::filesystem::path path_;
  const ModelFormat& format_;
};

}  // namespace weft
