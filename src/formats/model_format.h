// ModelFormat: one way to store a model, and the list of all of them.
//
// A new format is a handler of its own (see llmc_model.h) and a line in model_formats.cc. From the
// list follow what --model and convert accept, what inspect recognizes and what the fuzzers read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "formats/dtype.h"
#include "formats/model_reader.h"
#include "model/config.h"
#include "model/parameters.h"

namespace weft {

// A model that is to be written.
struct ModelCopy {
  const ParameterTable& table;
  ParameterValues values_of;  // called once for each parameter
  int64_t end_of_text = 0;
  DType dtype = DType::F32;                            // or BF16
  std::vector<std::filesystem::path> tokenizer_files;  // only a directory takes them
};

// Handlers have no state. Where a file is not as its format demands, reading throws Error (kInput).
class ModelFormat {
 public:
  virtual ~ModelFormat() = default;

  virtual const char* name() const = 0;  // "llmc"
  virtual const char* kind() const = 0;  // "llm.c model", the heading of inspect
  virtual const char* form() const = 0;  // "an llm.c .bin file", in the list of accepted forms
  // Of the model's file; empty if the model is a directory.
  virtual const char* extension() const = 0;
  bool is_directory() const { return *extension() == '\0'; }

  // Whether this format describes the content of the file or directory, be it whole or truncated.
  virtual bool matches(const std::filesystem::path& path) const = 0;
  virtual Config read_config(const std::filesystem::path& path) const = 0;
  virtual std::unique_ptr<ModelReader> open(const std::filesystem::path& path) const = 0;
  // The id that ends a text; the last of the vocabulary, as in GPT-2, if the format does not say.
  virtual int64_t read_end_of_text(const std::filesystem::path& path) const {
    return read_config(path).V - 1;
  }

  // Throws Error (kInput) if writing would harm what is at `path` or beside it, as
  // ModelTarget::check. For a file, the checks that all files share have passed.
  virtual void check_target(const std::filesystem::path& /*path*/, const ModelReader& /*source*/,
                            const std::vector<std::filesystem::path>& /*tokenizer_files*/,
                            bool /*replace*/) const {}
  // The model appears complete or not at all. Throws Error (kFailure) or filesystem_error.
  virtual void write(const std::filesystem::path& path, const ModelCopy& model) const = 0;
};

// In the order in which messages list them. The last is the directory's.
std::span<const ModelFormat* const> model_formats();

// The format of a file with this extension; null if there is none.
const ModelFormat* find_file_format(const std::filesystem::path& file);
const ModelFormat& directory_format();

}  // namespace weft
