#include "formats/model_target.h"

#include <algorithm>
#include <array>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/file_writer.h"
#include "base/files.h"
#include "base/paths.h"
#include "base/system_calls.h"
#include "formats/hf_config.h"
#include "formats/hf_files.h"
#include "formats/hf_model.h"
#include "formats/llmc_model.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfigFile = "config.json";
constexpr const char* kStateFile = "state.json";  // of a weft checkpoint
constexpr const char* kForce = "choose another --to, or give --force to replace it";

// The parts of a model directory besides the tokenizer. Left behind, they would join the next
// model.
constexpr auto kModelFiles = std::to_array<const char*>(
    {kConfigFile, kHfWeightsFile, kHfIndexFile, "generation_config.json"});

Error refusal(const fs::path& path, const std::string& reason, const std::string& hint) {
  return input_error("model.write", path.string() + " " + reason, hint);
}

fs::path directory_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : ".";
}

bool is_same(const fs::path& a, const fs::path& b) {
  std::error_code one_is_missing;
  return fs::equivalent(a, b, one_is_missing);
}

ModelFormat format_of(const fs::path& path) {
  if (path.extension() == ".bin") return ModelFormat::kLlmc;
  if (path.extension() == ".safetensors") return ModelFormat::kSafetensors;
  return ModelFormat::kHfDirectory;
}

// path_exists() is true of what cannot be looked at: this says so first.
void check_searchable(const fs::path& directory) {
  std::error_code reason;
  const bool is_there = fs::exists(fs::symlink_status(directory / kConfigFile, reason));
  if (!is_there && reason == std::errc::permission_denied) {
    throw system_error(ErrorKind::kInput, "model.write", "look into", directory, reason.value());
  }
}

// "out/" and "out" are one directory.
fs::path without_trailing_slash(const fs::path& path) {
  return path.has_filename() || !path.has_relative_path() ? path : path.parent_path();
}

template <typename Names>
bool holds_any(const fs::path& directory, const Names& names) {
  return std::ranges::any_of(names,
                             [&](const char* name) { return path_exists(directory / name); });
}

// A directory inside the target that is being filled. What is in it moves up in the end.
class StagingDirectory {
 public:
  explicit StagingDirectory(const fs::path& target)
      : target_(target),
        path_(target / ".weft-convert.partial"),
        made_target_(!path_exists(target)) {
    fs::remove_all(path_);  // of a conversion that was killed
    fs::create_directories(path_);
  }
  ~StagingDirectory() {
    std::error_code ignored;  // a destructor has nobody to tell
    fs::remove_all(path_, ignored);
    if (made_target_) fs::remove(target_, ignored);  // if it is empty
  }
  StagingDirectory(const StagingDirectory&) = delete;
  StagingDirectory& operator=(const StagingDirectory&) = delete;

  const fs::path& path() const { return path_; }

  // config.json goes first and comes last: between, the target is no model.
  void publish() {
    const bool tokenizer_goes =
        path_exists(target_ / kConfigFile) || holds_any(path_, kTokenizerFiles);
    for (const char* name : kModelFiles) fs::remove(target_ / name);
    if (tokenizer_goes) {
      for (const char* name : kTokenizerFiles) fs::remove(target_ / name);
    }
    for (const fs::path& name : names()) fs::rename(path_ / name, target_ / name);
    disk().sync_directory(target_);
    fs::rename(path_ / kConfigFile, target_ / kConfigFile);
    disk().sync_directory(target_);
  }

 private:
  // Of all files but config.json.
  std::vector<fs::path> names() const {
    std::vector<fs::path> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(path_)) {
      if (entry.path().filename() != kConfigFile) names.push_back(entry.path().filename());
    }
    return names;
  }

  fs::path target_;
  fs::path path_;
  bool made_target_;
};

void copy_durably(const fs::path& from, const fs::path& to) {
  FileWriter copy(to);
  read_file_in_pieces(
      from, [&copy](std::span<const std::byte> piece) { copy.append(piece.data(), piece.size()); });
  copy.finish();
}

}  // namespace

ModelTarget::ModelTarget(const fs::path& path)
    : path_(without_trailing_slash(path)), format_(format_of(path)) {}

void ModelTarget::check(const ModelReader& source, const std::vector<fs::path>& tokenizer_files,
                        bool replace) const {
  check_searchable(directory_of(path_));
  for (const fs::path& file : source.files()) {
    if (is_same(path_, file)) {
      throw refusal(path_, "is the model to be read", "choose another --to");
    }
  }
  if (format_ != ModelFormat::kHfDirectory) return check_file(source, replace);
  check_directory(source);
  if (!replace) check_replaced(tokenizer_files);
}

void ModelTarget::check_file(const ModelReader& source, bool replace) const {
  const fs::path directory = directory_of(path_);
  if (directory_exists(path_)) {
    throw refusal(path_, "is a directory", "a target that ends in .bin or .safetensors is a file");
  }
  if (!directory_exists(directory)) throw refusal(directory, "is no directory", "make it first");
  if (path_exists(path_)) {
    if (path_exists(directory / kStateFile)) {
      throw refusal(path_, "is part of a weft checkpoint", "choose another --to");
    }
    if (!replace) throw refusal(path_, "exists already", kForce);
  }
  if (format_ == ModelFormat::kSafetensors && path_exists(directory / kConfigFile) &&
      read_hf_config(directory) != source.table().config()) {
    throw refusal(directory / kConfigFile,
                  "is of another model, and a .safetensors file needs its own beside it",
                  "choose a --to in another directory");
  }
}

// What no --force allows.
void ModelTarget::check_directory(const ModelReader& source) const {
  check_searchable(path_);
  if (path_exists(path_) && !directory_exists(path_)) {
    throw refusal(path_, "is a file",
                  "end the name in .bin or .safetensors, or name another directory");
  }
  for (const fs::path& file : source.files()) {
    if (file.extension() == ".safetensors" && is_same(directory_of(file), path_)) {
      throw refusal(path_, "holds the model to be read", "choose another --to");
    }
  }
  for (const char* name : kModelFiles) {
    if (directory_exists(path_ / name)) {
      throw refusal(path_ / name, "is a directory", "remove it, or choose another --to");
    }
  }
  if (path_exists(path_ / kStateFile) || path_exists(path_ / "checkpoints")) {
    throw refusal(path_, "is a weft checkpoint or run", "choose another --to");
  }
}

void ModelTarget::check_replaced(const std::vector<fs::path>& tokenizer_files) const {
  for (const char* name : kModelFiles) {
    if (path_exists(path_ / name)) {
      throw refusal(path_, std::string("holds a model already (") + name + ")", kForce);
    }
  }
  if (tokenizer_files.empty() || is_same(directory_of(tokenizer_files.front()), path_)) return;
  for (const char* name : kTokenizerFiles) {
    if (path_exists(path_ / name)) {
      throw refusal(path_, std::string("holds a tokenizer already (") + name + ")", kForce);
    }
  }
}

void ModelTarget::write(const ModelCopy& model) const try {
  if (format_ == ModelFormat::kLlmc) {
    write_llmc_model(path_, model.table, model.values_of, model.dtype);
  } else if (format_ == ModelFormat::kHfDirectory) {
    write_directory(model);
  } else {
    write_hf_weights(path_, model.table, model.values_of, model.dtype);
    if (!path_exists(directory_of(path_) / kConfigFile)) {
      write_hf_config(directory_of(path_), model.table.config(), model.end_of_text, model.dtype);
    }
  }
} catch (const fs::filesystem_error& error) {
  throw system_error(ErrorKind::kFailure, "model.write", "write", error.path1(),
                     error.code().value());
}

void ModelTarget::write_directory(const ModelCopy& model) const {
  StagingDirectory staging(path_);
  write_hf_model(staging.path(), model.table, model.values_of, model.end_of_text, model.dtype);
  for (const fs::path& file : model.tokenizer_files) {
    copy_durably(file, staging.path() / file.filename());
  }
  staging.publish();
}

}  // namespace weft
