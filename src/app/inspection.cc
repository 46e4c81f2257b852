#include "app/inspection.h"

#include <fmt/format.h>

#include "app/format.h"
#include "app/models.h"
#include "base/error.h"
#include "data/token_source.h"
#include "data/tokenizer.h"
#include "formats/checksum.h"
#include "formats/json.h"
#include "formats/llmc_model.h"
#include "formats/model_files.h"
#include "formats/paths.h"
#include "formats/safetensors.h"
#include "train/checkpoint.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWhere = "inspect";

// What cannot be looked at (a link that leads nowhere) has no size.
size_t file_bytes(const fs::path& path) {
  return names_file(path) ? static_cast<size_t>(fs::file_size(path)) : 0;
}

size_t bytes_of(const fs::path& path) {
  if (!names_directory(path)) return file_bytes(path);
  size_t bytes = 0;
  for (const fs::directory_entry& entry :
       fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied)) {
    bytes += file_bytes(entry.path());
  }
  return bytes;
}

void add_size(const fs::path& path, Inspection& found) {
  found.facts.emplace_back("size", format_bytes(bytes_of(path)));
}

// Reads the weights: a model that loads is whole.
void add_model(const fs::path& path, Inspection& found) {
  const LoadedModel model(path);
  found.facts.emplace_back("model", to_string(model.config()));
  found.facts.emplace_back("parameters", format_count(model.table().count()));
  if (model.non_finite().count > 0) found.notes.push_back(model.non_finite().message());
}

void add_tokenizer_beside(const fs::path& model, Inspection& found) {
  const std::string beside = find_tokenizer_beside(model);
  if (!beside.empty()) found.facts.emplace_back("tokenizer", open_tokenizer(beside)->name());
}

Inspection inspect_model(const std::string& kind, const fs::path& path) {
  Inspection found{kind, {}, {}};
  add_model(path, found);
  add_tokenizer_beside(path, found);
  add_size(path, found);
  return found;
}

Inspection inspect_shard(const fs::path& path) {
  const TokenSource source = TokenSource::open_shards({path.string()});
  Inspection found{"token shard",
                   {{"tokens", format_count(source.tokens())},
                    {"largest token id", format_count(source.largest_token())}},
                   {}};
  add_size(path, found);
  return found;
}

Inspection inspect_tokenizer(const fs::path& path) {
  const std::unique_ptr<Tokenizer> tokenizer = open_tokenizer(path.string());
  return {"tokenizer",
          {{"kind", tokenizer->name()}, {"end of text", format_count(tokenizer->end_of_text())}},
          {}};
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
  Inspection found{"weft run directory", {{"newest checkpoint", newest->path.string()}}, {}};
  const Inspection checkpoint = inspect_checkpoint(newest->path);
  found.facts.insert(found.facts.end(), checkpoint.facts.begin(), checkpoint.facts.end());
  found.notes = checkpoint.notes;
  return found;
}

Inspection inspect_safetensors(const fs::path& path) {
  if (names_file(path.parent_path() / "config.json")) {
    return inspect_model("GPT-2 weights (safetensors)", path);
  }
  const SafetensorsFile file(path);
  Inspection found{"safetensors file", {{"tensors", format_count(std::ssize(file.tensors()))}}, {}};
  add_size(path, found);
  return found;
}

bool names_tokenizer(const fs::path& file) {
  const std::string name = file.filename().string();
  return name == "vocab.json" || name == "merges.txt" || name == "encoder.json" ||
         name == "vocab.bpe";
}

bool holds_tokenizer(const fs::path& directory) {
  return names_file(directory / "vocab.json") || names_file(directory / "encoder.json");
}

Error unknown(const fs::path& path) {
  return input_error(kWhere, path.string() + " is nothing that weft knows",
                     "it knows models, checkpoints, run directories, token shards and tokenizers");
}

Inspection inspect_directory(const fs::path& path) {
  if (names_directory(path / "checkpoints")) return inspect_run(path);
  if (names_file(path / "state.json")) return inspect_checkpoint(path);
  if (names_file(path / "config.json")) return inspect_model("Hugging Face model", path);
  if (holds_tokenizer(path)) return inspect_tokenizer(path);
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
