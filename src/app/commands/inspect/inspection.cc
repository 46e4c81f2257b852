#include "app/commands/inspect/inspection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "app/cli/format.h"
#include "app/commands/inspect/inspectors.h"
#include "base/error.h"
#include "base/json.h"
#include "base/paths.h"
#include "base/system_calls.h"
#include "data/tokenizer.h"
#include "formats/hf_config.h"
#include "formats/hf_files.h"
#include "formats/run_layout.h"
#include "runlog/event_file.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

// Returns 0 for what has no size, such as a link that leads nowhere.
size_t file_bytes(const fs::path& path) {
  return file_exists(path) ? static_cast<size_t>(fs::file_size(path)) : 0;
}

size_t bytes_of(const fs::path& path) {
  if (!directory_exists(path)) return file_bytes(path);
  size_t bytes = 0;
  for (const fs::directory_entry& entry :
       fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied)) {
    bytes += file_bytes(entry.path());
  }
  return bytes;
}

Error unknown(const fs::path& path) {
  return input_error(kInspect, path.string() + " is nothing that weft knows",
                     "it knows models, checkpoints, run directories, token shards, tokenizers, "
                     "HellaSwag files, metrics, event files, traces and configurations");
}

// Returns the beginning of a file, long enough to recognise its format.
std::string beginning(const fs::path& path) {
  std::array<char, 4096> buffer;
  std::ifstream file(path, std::ios::binary);
  file.read(buffer.data(), buffer.size());
  return {buffer.data(), static_cast<size_t>(file.gcount())};
}

Inspection inspect_hf_config(const fs::path& path) {
  Inspection found{.kind = "configuration of a Hugging Face GPT-2"};
  const fs::path directory = path.parent_path();
  found.add("model", to_string(read_hf_config(directory.empty() ? "." : directory)));
  return found;
}

Inspection inspect_json(const fs::path& path) {
  const std::string name = path.filename().string();
  const nlohmann::json json = read_json_object(path, kInspect);
  if (json.contains("weight_map")) return inspect_safetensors_index(path);
  if (json.contains("traceEvents")) return inspect_trace(path);
  if (json.contains("checksums") && name == kStateFile) {
    return inspect_checkpoint(path.parent_path().empty() ? "." : path.parent_path());
  }
  if (json.contains("model_type") && name == kHfConfigFile) return inspect_hf_config(path);
  if (names_tokenizer(path)) return inspect_tokenizer(path);
  throw unknown(path);
}

Inspection inspect_text(const fs::path& path, const std::string& begins) {
  const std::string name = path.filename().string();
  if (name == kMetricsFile || begins.starts_with("{\"kind\":")) return inspect_metrics(path);
  if (path.extension() == ".jsonl") {
    throw input_error(kInspect, path.string() + " holds JSON Lines that are no metrics of a run",
                      "weft tokenize reads a corpus of them, and names a line that is wrong");
  }
  if (begins.starts_with('{')) {
    // A trace may be too large to parse at once.
    const bool is_trace = begins.find("\"traceEvents\"") != begins.npos;
    return is_trace ? inspect_trace(path) : inspect_json(path);
  }
  if (begins.starts_with("#Paraver (")) return inspect_paraver(path);
  if (path.extension() == ".toml") return inspect_config(path);
  if (names_tokenizer(path)) return inspect_tokenizer(path);
  throw unknown(path);
}

Inspection inspect_directory(const fs::path& path) {
  const RunLayout layout{path};
  if (directory_exists(layout.checkpoints())) return inspect_run(path);
  if (file_exists(path / kStateFile)) return inspect_checkpoint(path);
  // Where there are a file and an index, weft and transformers read the file.
  if (file_exists(path / kHfIndexFile) && !path_exists(path / kHfWeightsFile)) {
    inspect_safetensors_index(path / kHfIndexFile);
  }
  if (auto found = inspect_if_model(path)) return *found;
  if (names_tokenizer(path)) return inspect_tokenizer(path);
  if (file_exists(layout.metrics())) return inspect_run(path);
  throw unknown(path);
}

Inspection inspect_file(const fs::path& path) {
  if (auto found = inspect_if_model(path)) return *found;
  if (path.extension() == ".safetensors") return inspect_tensors(path);
  if (auto found = inspect_llmc_file(path)) return *found;
  const std::string begins = beginning(path);
  const bool is_packed = begins.starts_with("\x1F\x8B") || path.extension() == ".gz";
  if (is_packed) return inspect_packed_trace(path);
  return looks_like_event_file(path, begins) ? inspect_events(path) : inspect_text(path, begins);
}

}  // namespace

void Inspection::add(const std::string& name, const std::string& text) {
  facts.push_back({name, json_text(text), text});
}

void Inspection::add_count(const std::string& name, int64_t n) {
  facts.push_back({name, std::to_string(n), format_count(n)});
}

void Inspection::add_bytes(const std::string& name, size_t bytes) {
  facts.push_back({name, std::to_string(bytes), format_bytes(bytes)});
}

void add_size(const fs::path& path, Inspection& found) { found.add_bytes("size", bytes_of(path)); }

void add_seconds(double seconds, Inspection& found) {
  found.facts.push_back({"seconds", json_text(seconds), fmt::format("{:.6f}", seconds)});
}

void add_loss(const std::string& name, double loss, Inspection& found) {
  found.facts.push_back({name, json_text(loss), fmt::format("{:.4f}", loss)});
}

Inspection inspect_tokenizer(const fs::path& path) {
  const std::unique_ptr<Tokenizer> tokenizer = open_tokenizer(path.string());
  Inspection found{.kind = "tokenizer"};
  found.add("tokenizer", tokenizer->name());
  found.add_count("vocabulary", tokenizer->vocabulary_size());
  found.add_count("end of text", tokenizer->end_of_text());
  return found;
}

Inspection inspect(const fs::path& path) try {
  if (directory_exists(path)) return inspect_directory(path);
  if (file_exists(path)) return inspect_file(path);
  throw input_error(kInspect, path.string() + " is no file or directory");
} catch (const fs::filesystem_error& error) {
  throw system_error(ErrorKind::kInput, kInspect, "examine", error.path1(), error.code().value());
}

}  // namespace weft
