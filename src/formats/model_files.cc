#include "formats/model_files.h"

#include <fmt/format.h>

#include <system_error>

#include "base/error.h"
#include "base/paths.h"
#include "data/tokenizer.h"
#include "formats/hf_config.h"
#include "formats/hf_files.h"
#include "formats/run_layout.h"
#include "formats/target_checks.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWhere = "model.find";

std::string accepted_forms() {
  std::string forms = "a model is ";
  for (const ModelFormat* format : model_formats()) forms += std::string(format->form()) + ", ";
  return forms + "a weft checkpoint or a weft run directory";
}

// Why a path is no file: "x does not exist", "x is a pipe or a device", ...
std::string reason_for(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return " does not exist";
  if (error) return " cannot be read: " + error.message();
  return " is neither a file nor a directory";
}

bool holds_model(const fs::path& checkpoint) {
  return file_exists(checkpoint / kHfConfigFile) && file_exists(checkpoint / kHfWeightsFile);
}

ModelLocation find_in_directory(const fs::path& path) {
  if (directory_format().matches(path)) return {directory_format(), path};
  const fs::path checkpoint = newest_checkpoint(path);
  if (!checkpoint.empty()) return {directory_format(), checkpoint};
  const char* reason = directory_exists(RunLayout{path}.checkpoints())
                           ? " is a run directory without a complete checkpoint"
                           : " holds neither config.json nor checkpoints";
  throw input_error(kWhere, path.string() + reason, accepted_forms());
}

}  // namespace

fs::path ModelLocation::directory() const {
  return format.is_directory() ? path : parent_directory(path);
}

std::string file_extensions(std::string_view separator) {
  std::string extensions;
  for (const ModelFormat* format : model_formats()) {
    if (format->is_directory()) continue;
    if (!extensions.empty()) extensions += separator;
    extensions += format->extension();
  }
  return extensions;
}

fs::path newest_checkpoint(const fs::path& run_directory) {
  for (const fs::path& checkpoint : RunLayout{run_directory}.list_checkpoints()) {
    if (holds_model(checkpoint)) return checkpoint;
  }
  return {};
}

ModelLocation find_model(const fs::path& path) {
  if (directory_exists(path)) return find_in_directory(path);
  if (!file_exists(path)) {
    throw input_error(kWhere, path.string() + reason_for(path), accepted_forms());
  }
  const ModelFormat* format = find_file_format(path);
  if (format != nullptr) return {*format, path};
  throw input_error(
      kWhere, fmt::format("{} ends neither in {}", path.string(), file_extensions(" nor in ")),
      accepted_forms());
}

Config read_model_config(const fs::path& path) {
  const ModelLocation model = find_model(path);
  return model.format.read_config(model.path);
}

std::unique_ptr<ModelReader> open_model(const fs::path& path) {
  const ModelLocation model = find_model(path);
  return model.format.open(model.path);
}

NonFiniteWeights read_model_weights(const fs::path& path, const ParameterView& weights) {
  return read_all(*open_model(path), weights);
}

int64_t read_end_of_text(const fs::path& path) {
  const ModelLocation model = find_model(path);
  return model.format.read_end_of_text(model.path);
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

}  // namespace weft
