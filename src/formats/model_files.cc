#include "formats/model_files.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "base/paths.h"
#include "data/tokenizer.h"
#include "formats/hf_model.h"
#include "formats/llmc_model.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWhere = "model.find";
constexpr const char* kForms =
    "a model is an llm.c .bin file, a .safetensors file with config.json beside it, a Hugging Face "
    "directory, a weft checkpoint or a weft run directory";

// `step_00000100` -> 100; a directory that is still being written has another name.
std::optional<uint64_t> step_of(const std::string& name) {
  constexpr std::string_view kStem = "step_";
  if (!name.starts_with(kStem)) return std::nullopt;
  uint64_t step = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + kStem.size(), end, step);
  if (error != std::errc() || stop != end) return std::nullopt;
  return step;
}

// Why a path is no file: "x does not exist", "x is a pipe or a device", ...
std::string reason_for(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return " does not exist";
  if (error) return " cannot be read: " + error.message();
  return " is neither a file nor a directory";
}

bool holds_model(const fs::path& directory) {
  return file_exists(directory / "config.json") && file_exists(directory / "model.safetensors");
}

ModelLocation find_in_directory(const fs::path& path) {
  if (path_exists(path / "config.json")) return {ModelFormat::kHfDirectory, path};
  const fs::path checkpoint = newest_checkpoint(path);
  if (!checkpoint.empty()) return {ModelFormat::kHfDirectory, checkpoint};
  const char* reason = directory_exists(path / "checkpoints")
                           ? " is a run directory without a complete checkpoint"
                           : " holds neither config.json nor checkpoints";
  throw input_error(kWhere, path.string() + reason, kForms);
}

}  // namespace

fs::path ModelLocation::directory() const {
  if (format == ModelFormat::kHfDirectory) return path;
  return path.has_parent_path() ? path.parent_path() : ".";
}

fs::path newest_checkpoint(const fs::path& run_directory) {
  std::optional<uint64_t> newest;
  fs::path found;
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(run_directory / "checkpoints", unreadable)) {
    const std::optional<uint64_t> step = step_of(entry.path().filename().string());
    if (!step || (newest && *step <= *newest) || !holds_model(entry.path())) continue;
    newest = step;
    found = entry.path();
  }
  return found;
}

ModelLocation find_model(const fs::path& path) {
  if (directory_exists(path)) return find_in_directory(path);
  if (!file_exists(path)) throw input_error(kWhere, path.string() + reason_for(path), kForms);
  if (path.extension() == ".safetensors") return {ModelFormat::kSafetensors, path};
  if (path.extension() == ".bin") return {ModelFormat::kLlmc, path};
  throw input_error(kWhere, path.string() + " ends neither in .bin nor in .safetensors", kForms);
}

Config read_model_config(const fs::path& path) {
  const ModelLocation model = find_model(path);
  if (model.format == ModelFormat::kLlmc) return read_llmc_config(model.path);
  return read_hf_config(model.directory());
}

std::unique_ptr<ModelReader> open_model(const fs::path& path) {
  const ModelLocation model = find_model(path);
  if (model.format == ModelFormat::kLlmc) return open_llmc_model(model.path);
  const fs::path directory = model.directory();
  return open_hf_model(model.path, read_hf_config(directory), read_hf_ties_embeddings(directory));
}

NonFiniteWeights read_model_weights(const fs::path& path, const ParameterView& weights) {
  return read_all(*open_model(path), weights);
}

std::string find_tokenizer_beside(const fs::path& path) {
  const fs::path directory = find_model(path).directory();
  return names_tokenizer(directory) ? directory.string() : "";
}

std::vector<fs::path> tokenizer_files_beside(const fs::path& path) {
  const fs::path directory = find_model(path).directory();
  std::vector<fs::path> files;
  for (const char* name : kTokenizerFiles) {
    if (file_exists(directory / name)) files.push_back(directory / name);
  }
  return files;
}

int64_t read_end_of_text(const fs::path& path) {
  const ModelLocation model = find_model(path);
  if (model.format == ModelFormat::kLlmc) return read_llmc_config(model.path).V - 1;
  return read_hf_end_of_text(model.directory());
}

}  // namespace weft
