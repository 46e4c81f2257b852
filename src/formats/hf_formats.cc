#include "formats/hf_formats.h"

#include <algorithm>
#include <array>
#include <string>
#include <system_error>

#include "base/file_writer.h"
#include "base/files.h"
#include "base/paths.h"
#include "formats/hf_config.h"
#include "formats/hf_files.h"
#include "formats/hf_model.h"
#include "formats/run_layout.h"
#include "formats/target_checks.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

// The files of a model directory besides the tokenizer's. A file of the old model that stayed would
// become part of the new one.
constexpr auto kModelFiles = std::to_array<const char*>(
    {kHfConfigFile, kHfWeightsFile, kHfIndexFile, "generation_config.json"});

template <typename Names>
bool holds_any(const fs::path& directory, const Names& names) {
  return std::ranges::any_of(names,
                             [&](const char* name) { return path_exists(directory / name); });
}

// ---- A file ------------------------------------------------------------------------------------

bool holds_gpt2(const SafetensorsFile& file) {
  return file.find("wte.weight") != nullptr || file.find("transformer.wte.weight") != nullptr;
}

class SafetensorsFormat : public ModelFormat {
 public:
  const char* name() const override { return "safetensors"; }
  const char* kind() const override { return "GPT-2 weights (safetensors)"; }
  const char* form() const override { return "a .safetensors file with config.json beside it"; }
  const char* extension() const override { return ".safetensors"; }

  // A shard of a model is not a model: only the index knows the rest.
  bool matches(const fs::path& path) const override {
    if (path.extension() != extension()) return false;
    const fs::path directory = parent_directory(path);
    const bool is_shard =
        file_exists(directory / kHfIndexFile) && path.filename() != kHfWeightsFile;
    return holds_gpt2(SafetensorsFile(path)) && file_exists(directory / kHfConfigFile) && !is_shard;
  }
  Config read_config(const fs::path& path) const override {
    return read_hf_config(parent_directory(path));
  }
  std::unique_ptr<ModelReader> open(const fs::path& path) const override {
    const fs::path directory = parent_directory(path);
    return open_hf_model(path, read_hf_config(directory), read_hf_ties_embeddings(directory));
  }
  int64_t read_end_of_text(const fs::path& path) const override {
    return read_hf_end_of_text(parent_directory(path));
  }

  void check_target(const fs::path& path, const ModelReader& source, const std::vector<fs::path>&,
                    bool) const override {
    const fs::path directory = parent_directory(path);
    if (path_exists(directory / kHfConfigFile) &&
        read_hf_config(directory) != source.table().config()) {
      throw refuse_target(directory / kHfConfigFile,
                          "is of another model, and a .safetensors file needs its own beside it",
                          "choose a --to in another directory");
    }
  }
  void write(const fs::path& path, const ModelCopy& model) const override {
    write_hf_weights(path, model.table, model.values_of, model.dtype);
    const fs::path directory = parent_directory(path);
    if (!path_exists(directory / kHfConfigFile)) {
      write_hf_config(directory, model.table.config(), model.end_of_text, model.dtype);
    }
  }
};

// ---- A directory -------------------------------------------------------------------------------

// A directory inside the target, in which the new model is written before it replaces the old one.
class StagingDirectory {
 public:
  explicit StagingDirectory(const fs::path& target)
      : target_(target),
        path_(target / ".weft-convert.partial"),
        made_target_(!path_exists(target)) {
    fs::remove_all(path_);  // a conversion that was killed leaves one
    fs::create_directories(path_);
  }
  ~StagingDirectory() {
    std::error_code ignored;  // a destructor cannot report errors
    fs::remove_all(path_, ignored);
    if (made_target_) fs::remove(target_, ignored);  // if it is empty
  }
  StagingDirectory(const StagingDirectory&) = delete;
  StagingDirectory& operator=(const StagingDirectory&) = delete;

  const fs::path& path() const { return path_; }

  // config.json is removed first and moved last: in between, the target is no model.
  void publish() {
    const bool replaces_tokenizer =
        path_exists(target_ / kHfConfigFile) || holds_any(path_, kTokenizerFiles);
    for (const char* name : kModelFiles) fs::remove(target_ / name);
    if (replaces_tokenizer) {
      for (const char* name : kTokenizerFiles) fs::remove(target_ / name);
    }
    for (const fs::path& name : names_but_config()) fs::rename(path_ / name, target_ / name);
    disk().sync_directory(target_);
    fs::rename(path_ / kHfConfigFile, target_ / kHfConfigFile);
    disk().sync_directory(target_);
  }

 private:
  std::vector<fs::path> names_but_config() const {
    std::vector<fs::path> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(path_)) {
      if (entry.path().filename() != kHfConfigFile) names.push_back(entry.path().filename());
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

// The checks that --force does not skip.
void check_directory(const fs::path& path, const ModelReader& source) {
  check_searchable(path);
  if (path_exists(path) && !directory_exists(path)) {
    throw refuse_target(path, "is a file",
                        "end the name in .bin or .safetensors, or name another directory");
  }
  for (const fs::path& file : source.files()) {
    if (file.extension() == ".safetensors" && is_same_file(parent_directory(file), path)) {
      throw refuse_target(path, "holds the model to be read", "choose another --to");
    }
  }
  for (const char* name : kModelFiles) {
    if (directory_exists(path / name)) {
      throw refuse_target(path / name, "is a directory", "remove it, or choose another --to");
    }
  }
  if (path_exists(path / kStateFile) || path_exists(RunLayout{path}.checkpoints())) {
    throw refuse_target(path, "is a weft checkpoint or run", "choose another --to");
  }
}

void check_nothing_is_replaced(const fs::path& path, const std::vector<fs::path>& tokenizer_files) {
  for (const char* name : kModelFiles) {
    if (path_exists(path / name)) {
      throw refuse_to_replace(path, std::string("holds a model already (") + name + ")");
    }
  }
  if (tokenizer_files.empty()) return;
  if (is_same_file(parent_directory(tokenizer_files.front()), path)) return;
  for (const char* name : kTokenizerFiles) {
    if (path_exists(path / name)) {
      throw refuse_to_replace(path, std::string("holds a tokenizer already (") + name + ")");
    }
  }
}

class HfDirectoryFormat : public ModelFormat {
 public:
  const char* name() const override { return "hf_directory"; }
  const char* kind() const override { return "Hugging Face model"; }
  const char* form() const override { return "a Hugging Face directory"; }
  const char* extension() const override { return ""; }

  // Whatever stands under the name of config.json: reading it will say what is wrong.
  bool matches(const fs::path& path) const override {
    return directory_exists(path) && path_exists(path / kHfConfigFile);
  }
  Config read_config(const fs::path& path) const override { return read_hf_config(path); }
  std::unique_ptr<ModelReader> open(const fs::path& path) const override {
    return open_hf_model(path, read_hf_config(path), read_hf_ties_embeddings(path));
  }
  int64_t read_end_of_text(const fs::path& path) const override {
    return read_hf_end_of_text(path);
  }

  void check_target(const fs::path& path, const ModelReader& source,
                    const std::vector<fs::path>& tokenizer_files, bool replace) const override {
    check_directory(path, source);
    if (!replace) check_nothing_is_replaced(path, tokenizer_files);
  }
  void write(const fs::path& path, const ModelCopy& model) const override {
    StagingDirectory staging(path);
    write_hf_model(staging.path(), model.table, model.values_of, model.end_of_text, model.dtype);
    for (const fs::path& file : model.tokenizer_files) {
      copy_durably(file, staging.path() / file.filename());
    }
    staging.publish();
  }
};

}  // namespace

const ModelFormat& safetensors_format() {
  static const SafetensorsFormat format;
  return format;
}

const ModelFormat& hf_directory_format() {
  static const HfDirectoryFormat format;
  return format;
}

}  // namespace weft
