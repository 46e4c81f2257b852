#include "run/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/paths.h"
#include "formats/checksum.h"
#include "formats/hf_files.h"
#include "formats/hf_model.h"
#include "formats/run_layout.h"
#include "formats/safetensors.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr int kStateVersion = 1;

void write_optimizer_state(const fs::path& path, const TrainingState& training, FileSystem& files,
                           const FetchShard& fetch) {
  std::vector<TensorSpec> specs;
  std::map<std::string, Vector<const float>> values;
  for (const Parameter& p : training.table->all()) {
    const std::vector<int64_t> shape =
        p.rows == 1 ? std::vector{p.cols} : std::vector{p.rows, p.cols};
    for (const OptimizerTensor& tensor : training.optimizer_state) {
      specs.push_back({tensor.name + "/" + p.name, DType::F32, shape});
      values[specs.back().name] = tensor.values.vector(p);
    }
  }
  SafetensorsWriter writer(path, std::move(specs), {}, files);
  for (const TensorSpec& spec : writer.tensors()) {
    if (fetch) fetch(spec.name);
    writer.append(values.at(spec.name).data(), values.at(spec.name).size_bytes());
  }
  writer.finish();
}

void read_optimizer_tensor(const SafetensorsFile& file, const std::string& name,
                           Vector<float> values) {
  const StoredTensor* tensor = file.find(name);
  if (tensor == nullptr || tensor->dtype != DType::F32 ||
      tensor->bytes.size() != values.size_bytes()) {
    throw input_error("checkpoint.read",
                      fmt::format("{} is missing or of another shape in {}", name, kOptimizerFile),
                      "the checkpoint is of another model");
  }
  std::memcpy(values.data(), tensor->bytes.data(), values.size_bytes());
}

ordered_json checksums_of(const fs::path& directory) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  ordered_json checksums = ordered_json::object();
  for (const std::string& name : names) checksums[name] = file_checksum(directory / name);
  return checksums;
}

void rename_durably(const fs::path& from, const fs::path& to, FileSystem& files) {
  files.rename(from, to);
  files.sync_directory(to.parent_path());
}

// Writes all files of a checkpoint durably; the caller gives the directory its final name.
void fill_checkpoint(const fs::path& directory, const RunState& state,
                     const TrainingState& training, const Tokenizer* tokenizer, FileSystem& files,
                     const FetchShard& fetch) {
  const ParameterView& weights = training.weights;
  const int64_t end_of_text =
      tokenizer != nullptr ? tokenizer->end_of_text() : weights.table->config().V - 1;
  write_hf_model(directory, weights, end_of_text, DType::F32, files);
  if (tokenizer != nullptr) {
    for (const auto& [name, content] : tokenizer->files(weights.table->config().T)) {
      write_file_durably(directory / name, content, files);
    }
  }
  write_optimizer_state(directory / kOptimizerFile, training, files, fetch);
  ordered_json json = {{"state_version", kStateVersion}};
  json.update(to_json(state));
  json["checksums"] = checksums_of(directory);
  write_file_durably(directory / kStateFile, json.dump(2) + "\n", files);
  files.sync_directory(directory);
}

// Frees the space of a checkpoint that did not fit on the disk.
void remove_if_possible(const fs::path& path, FileSystem& files) {
  try {
    files.remove_all(path);
  } catch (const Error&) {  // the caller reports the error that came first
  }
}

}  // namespace

RunState verify_checkpoint(const fs::path& checkpoint) {
  const auto refusal = [&](const std::string& name, const std::string& what) {
    return input_error("checkpoint.read", (checkpoint / name).string() + " " + what,
                       "use an older checkpoint; --resume does so by itself");
  };
  const nlohmann::json state = read_json_object(checkpoint / kStateFile, "checkpoint.read");
  try {
    if (state.at("state_version") != kStateVersion) {
      throw refusal(kStateFile, "is of another version");
    }
    for (const auto& [name, recorded] : state.at("checksums").items()) {
      if (name.find('/') != std::string::npos || file_checksum(checkpoint / name) != recorded) {
        throw refusal(name, "does not have its checksum");
      }
    }
    for (const char* name : {kHfWeightsFile, kOptimizerFile}) {
      if (!state["checksums"].contains(name)) throw refusal(name, "has no checksum");
    }
    return run_state_from_json(state);
  } catch (const Error&) {
    throw;
  } catch (const std::exception&) {  // a JSON library's message would not help a user
    throw refusal(kStateFile, "is malformed: a value is missing or of another type");
  }
}

fs::path write_checkpoint(const fs::path& run_directory, const RunState& state,
                          const TrainingState& training, const Tokenizer* tokenizer,
                          FileSystem& files, const FetchShard& fetch) {
  const RunLayout layout{run_directory};
  const fs::path unfinished = layout.unfinished(state.step);
  try {
    fs::path target = layout.checkpoint(state.step);
    files.remove_all(unfinished);
    create_directories_durably(layout.checkpoints(), files);
    fill_checkpoint(unfinished, state, training, tokenizer, files, fetch);
    // A run continues after its newest good checkpoint, so one of this step must be damaged.
    if (path_exists(target)) remove_checkpoint(target, files);
    rename_durably(unfinished, target, files);
    return target;
  } catch (const Error& error) {
    remove_if_possible(unfinished, files);
    throw failure("checkpoint.write", fmt::format("step {}: {}", state.step, error.message()),
                  error.hint());
  }
}

void remove_checkpoint(const fs::path& checkpoint, FileSystem& files) {
  const fs::path removed = RunLayout::removed(checkpoint);
  files.remove_all(removed);
  files.rename(checkpoint, removed);
  files.remove_all(removed);
}

std::optional<FoundCheckpoint> newest_good_checkpoint(
    const fs::path& run_directory, const std::function<void(const std::string&)>& skipped) {
  const RunLayout layout{run_directory};
  for (const fs::path& path : layout.list_checkpoints()) {
    try {
      FoundCheckpoint found{path, verify_checkpoint(path)};
      if (layout.checkpoint(found.state.step).filename() == path.filename()) return found;
      skipped(fmt::format("skipped {}: state.json is of step {}", path.string(), found.state.step));
    } catch (const Error& error) {
      skipped("skipped a checkpoint: " + error.message());
    }
  }
  return std::nullopt;
}

void read_checkpoint(const FoundCheckpoint& checkpoint, const TrainingState& training) {
  const Config stored = read_hf_config(checkpoint.path);
  if (stored != training.table->config()) {
    throw input_error("checkpoint.read",
                      fmt::format("{} holds {}, and this run is {}", checkpoint.path.string(),
                                  to_string(stored), to_string(training.table->config())),
                      "resume with the same --model, or choose another --out");
  }
  read_hf_weights(checkpoint.path, training.weights);
  const SafetensorsFile file(checkpoint.path / kOptimizerFile);
  for (const Parameter& p : training.table->all()) {
    for (const OptimizerTensor& tensor : training.optimizer_state) {
      read_optimizer_tensor(file, tensor.name + "/" + p.name, tensor.values.vector(p));
    }
  }
}

void remove_unfinished_checkpoints(const fs::path& run_directory, FileSystem& files) {
  for (const fs::path& path : RunLayout{run_directory}.list_unfinished()) files.remove_all(path);
}

}  // namespace weft
