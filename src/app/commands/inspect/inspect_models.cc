#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "app/commands/inspect/inspectors.h"
#include "base/error.h"
#include "base/json.h"
#include "base/paths.h"
#include "data/tokenizer.h"
#include "formats/model_files.h"
#include "formats/run_layout.h"
#include "formats/safetensors.h"
#include "infer/model.h"
#include "run/checkpoint.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

void append(Inspection from, Inspection& to) {
  std::ranges::move(from.facts, std::back_inserter(to.facts));
  std::ranges::move(from.notes, std::back_inserter(to.notes));
}

void add_state(const RunState& state, Inspection& found) {
  found.add_count("step", state.step);
  found.add_count("tokens", state.tokens);
}

// Reads tensor name -> file name. Throws unless every file is in the directory of the index.
std::map<std::string, std::string> weight_map(const fs::path& index) {
  const nlohmann::json json = read_json_object(index, kInspect);
  std::map<std::string, std::string> files;
  if (!json.contains("weight_map") || !json["weight_map"].is_object()) {
    throw input_error(kInspect, index.string() + " has no weight_map");
  }
  for (const auto& [tensor, file] : json["weight_map"].items()) {
    if (!file.is_string() || fs::path(file.get<std::string>()).has_parent_path()) {
      throw input_error(kInspect, fmt::format("{} names no file beside it for {}", index.string(),
                                              printable(tensor)));
    }
    files[tensor] = file.get<std::string>();
  }
  return files;
}

}  // namespace

// Reads all weights: a model that loads is whole.
Inspection inspect_model(const std::string& kind, const fs::path& path) {
  Inspection found{.kind = kind};
  Model model(path);
  model.load_weights();
  found.add("model", to_string(model.config()));
  found.add_count("parameters", model.table().count());
  if (model.non_finite().count > 0) found.notes.push_back(model.non_finite().message());
  const std::string beside = find_tokenizer_beside(path);
  if (!beside.empty()) found.add("tokenizer", open_tokenizer(beside)->name());
  add_size(path, found);
  return found;
}

std::optional<Inspection> inspect_if_model(const fs::path& path) {
  for (const ModelFormat* format : model_formats()) {
    if (format->is_directory() == directory_exists(path) && format->matches(path)) {
      return inspect_model(format->kind(), path);
    }
  }
  return std::nullopt;
}

Inspection inspect_checkpoint(const fs::path& path) {
  const RunState state = verify_checkpoint(path);
  Inspection found = inspect_model("weft checkpoint", path);
  add_state(state, found);
  return found;
}

// A run is whole if every checkpoint is, since `--resume` may need any of them.
Inspection inspect_run(const fs::path& path) {
  const RunLayout layout{path};
  const std::vector<fs::path> checkpoints = layout.list_checkpoints();
  Inspection found{.kind = "weft run directory"};
  found.add_count("checkpoints", std::ssize(checkpoints));
  if (checkpoints.empty()) {
    found.flaw = path.string() + " is a run directory without a checkpoint";
  } else {
    found.add("newest checkpoint", checkpoints.front().string());
    append(inspect_checkpoint(checkpoints.front()), found);
    for (size_t i = 1; i < checkpoints.size(); ++i) verify_checkpoint(checkpoints[i]);
  }
  if (file_exists(layout.config())) inspect_config(layout.config());
  if (file_exists(layout.metrics())) {
    // A run that has not ended may be writing a line.
    Inspection metrics = inspect_metrics(layout.metrics());
    if (!metrics.flaw.empty()) metrics.add("metrics", metrics.flaw);
    append(std::move(metrics), found);
  }
  inspect_events_of_run(path, found);
  return found;
}

Inspection inspect_tensors(const fs::path& path) {
  const SafetensorsFile file(path);
  const bool moments = !file.tensors().empty() && file.tensors().front().name.starts_with("m/");
  Inspection found{.kind = moments ? "AdamW moments of a weft checkpoint" : "safetensors file"};
  found.add_count("tensors", std::ssize(file.tensors()));
  add_size(path, found);
  return found;
}

Inspection inspect_safetensors_index(const fs::path& path) {
  std::map<std::string, SafetensorsFile> files;
  size_t bytes = 0;
  const std::map<std::string, std::string> map = weight_map(path);
  for (const auto& [tensor, name] : map) {
    const SafetensorsFile& file = files.try_emplace(name, path.parent_path() / name).first->second;
    const StoredTensor* stored = file.find(tensor);
    if (stored == nullptr) {
      throw input_error(kInspect, fmt::format("{} does not hold {}, which {} promises",
                                              (path.parent_path() / name).string(),
                                              printable(tensor), path.string()));
    }
    bytes += stored->bytes.size();
  }
  Inspection found{.kind = "index of a model in several safetensors files"};
  found.add_count("files", std::ssize(files));
  found.add_count("tensors", std::ssize(map));
  found.add_bytes("size of the tensors", bytes);
  return found;
}

}  // namespace weft
