#include "formats/model_target.h"

#include <fmt/format.h>

#include <system_error>

#include "base/paths.h"
#include "base/system_calls.h"
#include "formats/model_files.h"
#include "formats/run_layout.h"
#include "formats/target_checks.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

// "out/" and "out" are one directory.
fs::path without_trailing_slash(const fs::path& path) {
  return path.has_filename() || !path.has_relative_path() ? path : path.parent_path();
}

const ModelFormat& format_of(const fs::path& path) {
  const ModelFormat* format = find_file_format(path);
  return format != nullptr ? *format : directory_format();
}

}  // namespace

ModelTarget::ModelTarget(const fs::path& path)
    : path_(without_trailing_slash(path)), format_(format_of(path)) {}

void ModelTarget::check(const ModelReader& source, const std::vector<fs::path>& tokenizer_files,
                        bool replace) const {
  check_searchable(parent_directory(path_));
  for (const fs::path& file : source.files()) {
    if (is_same_file(path_, file)) {
      throw refuse_target(path_, "is the model to be read", "choose another --to");
    }
  }
  if (!format_.is_directory()) check_file(replace);
  format_.check_target(path_, source, tokenizer_files, replace);
}

void ModelTarget::check_file(bool replace) const {
  const fs::path directory = parent_directory(path_);
  if (directory_exists(path_)) {
    throw refuse_target(path_, "is a directory",
                        fmt::format("a target that ends in {} is a file", file_extensions(" or ")));
  }
  if (!directory_exists(directory))
    throw refuse_target(directory, "is no directory", "make it first");
  if (!path_exists(path_)) return;
  if (path_exists(directory / kStateFile)) {
    throw refuse_target(path_, "is part of a weft checkpoint", "choose another --to");
  }
  if (!replace) throw refuse_to_replace(path_, "exists already");
}

void ModelTarget::write(const ModelCopy& model) const try {
  format_.write(path_, model);
} catch (const fs::filesystem_error& error) {
  throw system_error(ErrorKind::kFailure, "model.write", "write", error.path1(),
                     error.code().value());
}

}  // namespace weft
