#include "app/inspection.h"

#include <fmt/format.h>

#include "app/format.h"
#include "app/models.h"
#include "base/error.h"
#include "base/json.h"
#include "data/token_source.h"
#include "data/tokenizer.h"
#include "formats/checksum.h"
#include "formats/llmc_model.h"
#include "formats/model_files.h"
#include "formats/paths.h"
#include "formats/safetensors.h"
#include "train/checkpoint.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using Facts = std::vector<std::pair<std::string, std::string>>;

constexpr const char* kWhere = "inspect";

size_t bytes_of(const fs::path& path) {
  if (names_file(path)) return fs::file_size(path);
  size_t bytes = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

void add_size(const fs::path& path, Facts& facts) {
  facts.emplace_back("size", format_bytes(bytes_of(path)));
}

// Reads the weights: a model that loads is whole.
void add_model(const fs::path& path, Facts& facts) {
  const LoadedModel model(path);
  facts.emplace_back("model", to_string(model.config()));
  facts.emplace_back("parameters", format_count(model.table().count()));
}

void add_tokenizer_beside(const fs::path& model, Facts& facts) {
  const std::string beside = find_tokenizer_beside(model);
  if (!beside.empty()) facts.emplace_back("tokenizer", open_tokenizer(beside)->name());
}

Inspection inspect_model(const std::string& kind, const fs::path& path) {
  Inspection found{kind, {}};
  add_model(path, found.facts);
  add_tokenizer_beside(path, found.facts);
  add_size(path, found.facts);
  return found;
}

Inspection inspect_shard(const fs::path& path) {
  const TokenSource source = TokenSource::open_shards({path.string()});
  Inspection found{"token shard",
                   {{"tokens", format_count(source.tokens())},
                    {"largest token id", format_count(source.largest_token())}}};
  add_size(path, found.facts);
  return found;
}

Inspection inspect_tokenizer(const fs::path& path) {
  const std::unique_ptr<Tokenizer> tokenizer = open_tokenizer(path.string());
  return {"tokenizer",
          {{"kind", tokenizer->name()}, {"end of text", format_count(tokenizer->end_of_text())}}};
}

void verify_checksums(const fs::path& checkpoint, const nlohmann::json& state) {
  if (!state.contains("checksums") || !state["checksums"].is_object()) {
    throw input_error(kWhere, (checkpoint / "state.json").string() + " holds no checksums");
  }
  for (const auto& [name, recorded] : state["checksums"].items()) {
    if (fs::path(name).has_parent_path() || file_checksum(checkpoint / name) != recorded) {
      throw input_error(kWhere,
                        fmt::format("{} is not the file that was saved: its checksum differs",
                                    (checkpoint / name).string()),
                        "use an older checkpoint; --resume does so by itself");
    }
  }
}

Inspection inspect_checkpoint(const fs::path& path) {
  const nlohmann::json state = read_json_object(path / "state.json", kWhere);
  verify_checksums(path, state);
  Inspection found = inspect_model("weft checkpoint", path);
  for (const char* key : {"step", "tokens"}) {
    const auto value = state.find(key);
    if (value != state.end() && value->is_number_integer()) {
      found.facts.emplace_back(key, format_count(value->get<int64_t>()));
    }
  }
  return found;
}

// Whole if every checkpoint is: `--resume` may need any of them.
Inspection inspect_run(const fs::path& path) {
  const auto reject = [](const std::string& reason) { throw input_error(kWhere, reason); };
  const auto newest = newest_good_checkpoint(path, reject);
  if (!newest)
    throw input_error(kWhere, path.string() + " is a run directory without a checkpoint");
  Inspection found{"weft run directory", {{"newest checkpoint", newest->path.string()}}};
  const Inspection checkpoint = inspect_checkpoint(newest->path);
  found.facts.insert(found.facts.end(), checkpoint.facts.begin(), checkpoint.facts.end());
  return found;
}

Inspection inspect_safetensors(const fs::path& path) {
  if (names_file(path.parent_path() / "config.json")) {
    return inspect_model("GPT-2 weights (safetensors)", path);
  }
  const SafetensorsFile file(path);
  Inspection found{"safetensors file", {{"tensors", format_count(std::ssize(file.tensors()))}}};
  add_size(path, found.facts);
  return found;
}

Error unknown(const fs::path& path) {
  return input_error(kWhere, path.string() + " is nothing that weft knows",
                     "it knows models, checkpoints, run directories, token shards and tokenizers");
}

Inspection inspect_directory(const fs::path& path) {
  if (names_directory(path / "checkpoints")) return inspect_run(path);
  if (names_file(path / "state.json")) return inspect_checkpoint(path);
  if (names_file(path / "config.json")) return inspect_model("Hugging Face model", path);
  if (names_tokenizer(path)) return inspect_tokenizer(path);
  throw unknown(path);
}

}  // namespace

Inspection inspect(const fs::path& path) {
  if (names_directory(path)) return inspect_directory(path);
  if (!names_file(path)) throw input_error(kWhere, path.string() + " is no file or directory");
  if (is_token_shard(path.string())) return inspect_shard(path);
  if (is_llmc_model(path)) return inspect_model("llm.c model", path);
  if (path.extension() == ".safetensors") return inspect_safetensors(path);
  if (names_tokenizer(path)) return inspect_tokenizer(path);
  throw unknown(path);
}

}  // namespace weft
