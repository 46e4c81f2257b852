// The binary files of llm.c: 256 int32 of header, then raw numbers. weft reads some of them and
// recognises the others.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "app/commands/inspect/inspectors.h"
#include "base/error.h"
#include "base/files.h"
#include "base/llmc_header.h"
#include "data/hellaswag.h"
#include "data/token_source.h"
#include "model/config.h"
#include "model/parameters.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

using Header = LlmcHeader;

enum Magic : int32_t {
  kDebugState = 20240327,
  kTokenizer = 20240328,
  kTokens = 20240520,
  kHellaSwag = 20240522,
  kTrainingState = 20240527,
  kLlama3Tokens = 20240801,
};

Error wrong_size(const fs::path& path, int64_t bytes, int64_t expected) {
  return input_error(
      kInspect,
      fmt::format("{} {}: {} bytes, its header asks for {}", path.string(),
                  bytes < expected ? "is truncated" : "has trailing bytes", bytes, expected),
      "copy or make it again");
}

void check_version(const fs::path& path, const Header& header, int32_t version) {
  if (header[1] == version) return;
  throw input_error(kInspect, fmt::format("{} is of version {}; weft knows version {}",
                                          path.string(), header[1], version));
}

Inspection inspect_tokens(const fs::path& path) {
  const TokenSource source = TokenSource::open_shards({path.string()});
  Inspection found{.kind = "token shard"};
  found.add_count("tokens", source.tokens());
  found.add_count("largest token id", source.largest_token());
  return found;
}

Inspection inspect_llama3_tokens(const fs::path& path, const Header& header, int64_t bytes) {
  check_version(path, header, 7);
  const int64_t expected = int64_t{sizeof(Header)} + 4 * int64_t{header[2]};
  if (header[2] <= 0 || bytes != expected) throw wrong_size(path, bytes, expected);
  Inspection found{.kind = "llm.c token shard of LLaMA-3, 32 bits a token"};
  found.add_count("tokens", header[2]);
  found.add("used by weft", "no: it reads GPT-2 tokens of 16 bits");
  return found;
}

Inspection inspect_hellaswag(const fs::path& path) {
  const HellaSwag file(path);
  Inspection found{.kind = "HellaSwag questions"};
  found.add_count("examples", std::ssize(file.examples()));
  found.add_count("largest token id", file.largest_token(file.examples().size()));
  return found;
}

// Tokens and targets (B, T) of int32; logits (B, T, V), the loss and all gradients in fp32.
int64_t debug_state_bytes(const Config& config, int64_t B, int64_t T) {
  return int64_t{sizeof(Header)} + 8 * B * T + 4 * B * T * config.V + 4 +
         4 * ParameterTable(config).count();
}

// The header does not name the model, so it follows from the file's size.
Inspection inspect_debug_state(const fs::path& path, const Header& header, int64_t bytes) {
  check_version(path, header, 2);
  const int64_t B = header[2], T = header[3];
  constexpr int64_t kMost = 1 << 20;
  if (B < 1 || T < 1 || B > kMost || T > kMost) {
    throw input_error(kInspect,
                      fmt::format("{} has a batch of {} x {} tokens", path.string(), B, T));
  }
  Inspection found{.kind = "llm.c debug state: one batch with its logits, loss and gradients"};
  found.add_count("B", B);
  found.add_count("T", T);
  for (const char* name : {"gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"}) {
    if (bytes == debug_state_bytes(parse_model(name, 50257), B, T)) {
      found.add("model", name);
      return found;
    }
  }
  found.doubt = "its header does not say of which model it is, and no GPT-2 has this size";
  return found;
}

// The file holds AdamW's moments and, after them, the state of the data loader.
Inspection inspect_training_state(const fs::path& path, const Header& header, int64_t bytes) {
  check_version(path, header, 1);
  const bool has_master_weights = header[4] != 0, has_shuffle = header[5] != 0;
  Inspection found{.kind = "llm.c training state: AdamW's moments of one rank"};
  found.add_count("ranks", header[2]);
  found.add_count("rank", header[3]);
  found.add_count("step", header[10]);
  found.add("used by weft", "no: convert the model file and start from its weights");
  if (has_shuffle) {
    found.doubt = "its header does not say how long the order of its data is";
    return found;
  }
  const int64_t parameter_bytes = has_master_weights ? 12 : 8;
  const int64_t payload = bytes - int64_t{sizeof(Header)};
  if (payload <= 0 || payload % parameter_bytes != 0) {
    throw input_error(kInspect,
                      fmt::format("{} is truncated: {} bytes after its header are no whole "
                                  "parameters of {} bytes",
                                  path.string(), payload, parameter_bytes));
  }
  found.add_count("parameters", payload / parameter_bytes);
  return found;
}

Inspection inspect_by_header(const fs::path& path, const Header& header, int64_t bytes) {
  if (bytes < int64_t{sizeof(Header)}) {
    throw input_error(kInspect, path.string() + " is truncated: its header is not whole",
                      "copy or make it again");
  }
  switch (header[0]) {
    case kTokens:
      return inspect_tokens(path);
    case kLlama3Tokens:
      return inspect_llama3_tokens(path, header, bytes);
    case kHellaSwag:
      return inspect_hellaswag(path);
    case kDebugState:
      return inspect_debug_state(path, header, bytes);
    default:
      return inspect_training_state(path, header, bytes);
  }
}

}  // namespace

std::optional<Inspection> inspect_llmc_file(const fs::path& path) {
  const MappedFile file(path);
  const Header header = read_llmc_header(file.bytes());
  switch (header[0]) {
    case kTokenizer:
      return inspect_tokenizer(path);
    case kDebugState:
    case kTokens:
    case kHellaSwag:
    case kTrainingState:
    case kLlama3Tokens: {
      Inspection found = inspect_by_header(path, header, static_cast<int64_t>(file.bytes().size()));
      add_size(path, found);
      return found;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace weft
