#include "train/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
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
    if (numbered && entry.is_directory()) found.emplace_back(std::stoll(digits), entry.path());
  }
  std::sort(found.rbegin(), found.rend());
  std::vector<fs::path> paths;
  paths.reserve(found.size());
  for (auto& [step, path] : found) paths.push_back(std::move(path));
  return paths;
}

[[noreturn]] void rethrow(const fs::filesystem_error& error) {
  throw failure("checkpoint.write", error.what(), "check the disk and the permissions of --out");
}

void write_moments(const fs::path& path, const ParameterView& m, const ParameterView& v) {
  std::vector<TensorSpec> specs;
  for (const Parameter& p : m.table->all()) {
    const std::vector<int64_t> shape =
        p.rows == 1 ? std::vector{p.cols} : std::vector{p.rows, p.cols};
    specs.push_back({"m/" + p.name, DType::F32, shape});
    specs.push_back({"v/" + p.name, DType::F32, shape});
  }
  const auto values_of = [&](const std::string& name) {
    for (const Parameter& p : m.table->all()) {
      if (name.compare(2, std::string::npos, p.name) == 0) {
        return name.starts_with("m/") ? m.vector(p) : v.vector(p);
      }
    }
    return Vector<float>();
  };
  SafetensorsWriter writer(path, std::move(specs));
  for (const TensorSpec& spec : writer.tensors()) {
    const Vector<float> values = values_of(spec.name);
    writer.append(values.data(), values.size_bytes());
  }
  writer.finish();
}

void read_moment(const SafetensorsFile& file, const std::string& name, Vector<float> values) {
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
          {"batching", s.batching}};
}

RunState from_json(const nlohmann::json& j) {
  if (j.at("state_version").get<int>() != kStateVersion) {
    throw input_error("checkpoint.read", "state.json is of another version");
  }
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
  return s;
}

// Throws Error (kInput) with the reason if the checkpoint is not whole.
RunState verify(const fs::path& checkpoint) {
  const nlohmann::json state = read_json_object(checkpoint / kStateFile, "checkpoint.read");
  try {
    for (const auto& [name, recorded] : state.at("checksums").items()) {
      if (name.find('/') != std::string::npos || file_checksum(checkpoint / name) != recorded) {
        throw input_error("checkpoint.read", fmt::format("{} does not have its checksum", name));
      }
    }
    for (const char* name : {"model.safetensors", kOptimizerFile}) {
      if (!state["checksums"].contains(name)) {
        throw input_error("checkpoint.read", fmt::format("{} has no checksum", name));
      }
    }
    RunState read = from_json(state);
    if (step_name(read.step) != checkpoint.filename()) {
      throw input_error("checkpoint.read", fmt::format("state.json is of step {}", read.step));
    }
    return read;
  } catch (const std::exception& error) {
    if (dynamic_cast<const Error*>(&error) != nullptr) throw;
    throw input_error("checkpoint.read", fmt::format("state.json: {}", error.what()));
  }
}

void rename_durably(const fs::path& from, const fs::path& to) {
  fs::rename(from, to);
  sync_directory(to.parent_path());
}

void remove_checkpoint(const fs::path& path) {
  // Renamed first: a kill in the middle leaves no half checkpoint under a good name.
  const fs::path doomed =
      path.parent_path() / fmt::format("{}old_{}", kUnfinishedPrefix, path.filename().string());
  fs::remove_all(doomed);
  fs::rename(path, doomed);
  fs::remove_all(doomed);
}

// Leaves `keep` checkpoints: `newest` and those before it. Newer ones are what a damaged run left
// behind: they must not push out the one that was just written.
void remove_older_checkpoints(const fs::path& run_directory, const fs::path& newest, int64_t keep) {
  const std::vector<fs::path> all = list_checkpoints(run_directory);
  const auto first = std::find(all.begin(), all.end(), newest) - all.begin();
  for (size_t i = size_t(first + keep); i < all.size(); ++i) remove_checkpoint(all[i]);
}

}  // namespace

fs::path write_checkpoint(const fs::path& run_directory, const RunState& state,
                          const ParameterView& weights, const ParameterView& m,
                          const ParameterView& v, const Tokenizer* tokenizer, int64_t keep) try {
  fs::path target = checkpoints_of(run_directory) / step_name(state.step);
  const fs::path unfinished = target.parent_path() / (kUnfinishedPrefix + step_name(state.step));
  fs::remove_all(unfinished);
  fs::create_directories(unfinished);

  const int64_t end_of_text =
      tokenizer != nullptr ? tokenizer->end_of_text() : weights.table->config().V - 1;
  write_hf_model(unfinished, weights, end_of_text);
  if (tokenizer != nullptr) {
    for (const auto& [name, content] : tokenizer->files(weights.table->config().T)) {
      write_file_durably(unfinished / name, content);
    }
  }
  write_moments(unfinished / kOptimizerFile, m, v);
  ordered_json json = to_json(state);
  json["checksums"] = checksums_of(unfinished);
  write_file_durably(unfinished / kStateFile, json.dump(2) + "\n");
  sync_directory(unfinished);

  if (fs::exists(target)) remove_checkpoint(target);
  rename_durably(unfinished, target);
  if (keep > 0) remove_older_checkpoints(run_directory, target, keep);
  return target;
} catch (const fs::filesystem_error& error) {
  rethrow(error);
}

std::optional<FoundCheckpoint> newest_good_checkpoint(
    const fs::path& run_directory, const std::function<void(const std::string&)>& skipped) {
  for (const fs::path& path : list_checkpoints(run_directory)) {
    try {
      return FoundCheckpoint{path, verify(path)};
    } catch (const Error& error) {
      skipped(fmt::format("skipped {}: {}", path.string(), error.message()));
    }
  }
  return std::nullopt;
}

void read_checkpoint(const FoundCheckpoint& checkpoint, const ParameterView& weights,
                     const ParameterView& m, const ParameterView& v) {
  const Config stored = read_hf_config(checkpoint.path);
  if (stored != weights.table->config()) {
    throw input_error("checkpoint.read",
                      fmt::format("{} holds {}, and this run is {}", checkpoint.path.string(),
                                  to_string(stored), to_string(weights.table->config())),
                      "resume with the same --model, or choose another --out");
  }
  read_hf_weights(checkpoint.path, weights);
  const SafetensorsFile moments(checkpoint.path / kOptimizerFile);
  for (const Parameter& p : weights.table->all()) {
    read_moment(moments, "m/" + p.name, m.vector(p));
    read_moment(moments, "v/" + p.name, v.vector(p));
  }
}

void remove_unfinished_checkpoints(const fs::path& run_directory) try {
  std::error_code none_yet;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(checkpoints_of(run_directory), none_yet)) {
    if (entry.path().filename().string().starts_with(kUnfinishedPrefix)) {
      fs::remove_all(entry.path());
    }
  }
} catch (const fs::filesystem_error& error) {
  rethrow(error);
}

}  // namespace weft
