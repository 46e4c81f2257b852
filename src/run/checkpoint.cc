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
#include "formats/hf_model.h"
#include "formats/safetensors.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr int kStateVersion = 1;
constexpr const char* kStateFile = "state.json";
constexpr const char* kOptimizerFile = "optimizer.safetensors";
constexpr const char* kStepPrefix = "step_";
// A directory under this prefix is being written or removed, and is nobody's checkpoint.
constexpr const char* kUnfinishedPrefix = ".unfinished_";

fs::path checkpoints_of(const fs::path& run_directory) { return run_directory / "checkpoints"; }

std::string step_name(int64_t step) { return fmt::format("{}{:08}", kStepPrefix, step); }

// The complete checkpoints, newest first (names have eight digits or more, so compare as numbers).
std::vector<fs::path> list_checkpoints(const fs::path& run_directory) {
  std::vector<std::pair<int64_t, fs::path>> found;
  std::error_code error;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(checkpoints_of(run_directory), error)) {
    const std::string name = entry.path().filename().string();
    const std::string digits = name.substr(std::min(name.size(), std::strlen(kStepPrefix)));
    const bool numbered = name.starts_with(kStepPrefix) && !digits.empty() && digits.size() < 19 &&
                          std::all_of(digits.begin(), digits.end(),
                                      [](unsigned char c) { return c >= '0' && c <= '9'; });
    if (numbered && directory_exists(entry.path()))
      found.emplace_back(std::stoll(digits), entry.path());
  }
  std::sort(found.rbegin(), found.rend());
  std::vector<fs::path> paths;
  paths.reserve(found.size());
  for (auto& [step, path] : found) paths.push_back(std::move(path));
  return paths;
}

void write_optimizer_state(const fs::path& path, const TrainingState& training, FileSystem& files,
                           const BringMoment& bring) {
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
    if (bring) bring(spec.name);
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

ordered_json to_json(const RunState& s) {
  return {{"state_version", kStateVersion},
          {"step", s.step},
          {"tokens", s.tokens},
          {"elapsed_s", s.elapsed_s},
          {"rng", {{"generator", "philox4x32-10"}, {"seed", s.seed}}},
          {"data",
           {{"shuffle", s.shuffle},
            {"seq_len", s.T},
            {"sequences_per_step", s.sequences_per_step},
            {"position", s.step * s.sequences_per_step},
            {"fingerprint", fmt::format("{:016x}", s.data_fingerprint)}}},
          {"schedule", s.schedule},
          {"optimizer", s.optimizer},
          {"batching", s.batching},
          {"precision", s.precision}};
}

RunState from_json(const nlohmann::json& j) {
  RunState s;
  s.step = j.at("step").get<int64_t>();
  s.tokens = j.at("tokens").get<int64_t>();
  s.elapsed_s = j.at("elapsed_s").get<double>();
  s.seed = j.at("rng").at("seed").get<uint64_t>();
  const nlohmann::json& data = j.at("data");
  s.shuffle = data.at("shuffle").get<bool>();
  s.T = data.at("seq_len").get<int64_t>();
  s.sequences_per_step = data.at("sequences_per_step").get<int64_t>();
  s.data_fingerprint = std::stoull(data.at("fingerprint").get<std::string>(), nullptr, 16);
  s.schedule = j.at("schedule").get<std::string>();
  s.optimizer = j.at("optimizer").get<std::string>();
  s.batching = j.at("batching").get<std::string>();
  s.precision = j.value("precision", s.precision);
  return s;
}

void rename_durably(const fs::path& from, const fs::path& to, FileSystem& files) {
  files.rename(from, to);
  files.sync_directory(to.parent_path());
}

void remove_checkpoint(const fs::path& path, FileSystem& files) {
  // Renamed first: a kill in the middle leaves no half checkpoint under a good name.
  const fs::path doomed =
      path.parent_path() / fmt::format("{}old_{}", kUnfinishedPrefix, path.filename().string());
  files.remove_all(doomed);
  files.rename(path, doomed);
  files.remove_all(doomed);
}

fs::path unfinished_path(const fs::path& run_directory, int64_t step) {
  return checkpoints_of(run_directory) / (kUnfinishedPrefix + step_name(step));
}

// Everything but the name: what fills the directory, and makes it durable.
void fill_checkpoint(const fs::path& directory, const RunState& state,
                     const TrainingState& training, const Tokenizer* tokenizer, FileSystem& files,
                     const BringMoment& bring) {
  const ParameterView& weights = training.weights;
  const int64_t end_of_text =
      tokenizer != nullptr ? tokenizer->end_of_text() : weights.table->config().V - 1;
  write_hf_model(directory, weights, end_of_text, DType::F32, files);
  if (tokenizer != nullptr) {
    for (const auto& [name, content] : tokenizer->files(weights.table->config().T)) {
      write_file_durably(directory / name, content, files);
    }
  }
  write_optimizer_state(directory / kOptimizerFile, training, files, bring);
  ordered_json json = to_json(state);
  json["checksums"] = checksums_of(directory);
  write_file_durably(directory / kStateFile, json.dump(2) + "\n", files);
  files.sync_directory(directory);
}

// A disk that is full is the less so without the checkpoint that did not fit.
void remove_if_possible(const fs::path& path, FileSystem& files) {
  try {
    files.remove_all(path);
  } catch (const Error&) {  // the first error is the one to report
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
    for (const char* name : {"model.safetensors", kOptimizerFile}) {
      if (!state["checksums"].contains(name)) throw refusal(name, "has no checksum");
    }
    return from_json(state);
  } catch (const Error&) {
    throw;
  } catch (const std::exception&) {  // the libraries' words would tell a user nothing
    throw refusal(kStateFile, "is malformed: a value is missing or of another type");
  }
}

fs::path write_checkpoint(const fs::path& run_directory, const RunState& state,
                          const TrainingState& training, const Tokenizer* tokenizer,
                          FileSystem& files, const BringMoment& bring) {
  const fs::path unfinished = unfinished_path(run_directory, state.step);
  try {
    fs::path target = checkpoints_of(run_directory) / step_name(state.step);
    files.remove_all(unfinished);
    create_directories_durably(checkpoints_of(run_directory), files);
    fill_checkpoint(unfinished, state, training, tokenizer, files, bring);
    // A run continues behind its newest good checkpoint, so one of this step was not good.
    if (path_exists(target)) remove_checkpoint(target, files);
    rename_durably(unfinished, target, files);
    return target;
  } catch (const Error& error) {
    remove_if_possible(unfinished, files);
    throw failure("checkpoint.write", fmt::format("step {}: {}", state.step, error.message()),
                  error.hint());
  }
}

void prune_checkpoints(const fs::path& run_directory, const fs::path& newest, int64_t keep,
                       FileSystem& files) {
  if (keep == 0) return;
  const std::vector<fs::path> all = list_checkpoints(run_directory);
  const auto first = std::find(all.begin(), all.end(), newest) - all.begin();
  for (size_t i = size_t(first + keep); i < all.size(); ++i) remove_checkpoint(all[i], files);
}

std::optional<FoundCheckpoint> newest_good_checkpoint(
    const fs::path& run_directory, const std::function<void(const std::string&)>& skipped) {
  for (const fs::path& path : list_checkpoints(run_directory)) {
    try {
      FoundCheckpoint found{path, verify_checkpoint(path)};
      if (step_name(found.state.step) == path.filename()) return found;
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
  std::error_code none_yet;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(checkpoints_of(run_directory), none_yet)) {
    if (entry.path().filename().string().starts_with(kUnfinishedPrefix)) {
      files.remove_all(entry.path());
    }
  }
}

}  // namespace weft
