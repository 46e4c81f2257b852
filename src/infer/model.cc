#include "infer/model.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/memory.h"
#include "formats/model_files.h"

namespace weft {
namespace {

std::shared_ptr<const Tokenizer> tokenizer_of_model(const std::filesystem::path& model,
                                                    const Config& config) {
  const std::string beside = find_tokenizer_beside(model);
  if (!beside.empty()) return open_tokenizer(beside);
  std::shared_ptr<const Tokenizer> bytes = make_byte_tokenizer();
  return config.V == bytes->vocabulary_size() ? bytes : nullptr;
}

}  // namespace

LoadedModel::LoadedModel(const std::filesystem::path& path)
    : table_(read_model_config(path)),
      weights_{&table_, arena_.vector<float>(table_.buffer_size())} {
  require_memory(arena_.bytes(), path.string(), "weft keeps weights in fp32");
  non_finite_ = read_model_weights(path, weights_);
}

void note_non_finite(const LoadedModel& model, Terminal& terminal) {
  if (model.non_finite().count > 0) terminal.line("note: " + model.non_finite().message());
}

std::shared_ptr<const Tokenizer> find_tokenizer(const std::string& path_or_bytes,
                                                const std::filesystem::path& model,
                                                const Config& config) {
  std::shared_ptr<const Tokenizer> tokenizer =
      path_or_bytes.empty() ? tokenizer_of_model(model, config) : open_tokenizer(path_or_bytes);
  if (tokenizer && tokenizer->vocabulary_size() > config.V) {
    throw input_error(
        "tokenizer",
        fmt::format("{} has {} tokens, and the vocabulary of {} has V={}", tokenizer->name(),
                    tokenizer->vocabulary_size(), model.string(), config.V),
        "give the --tokenizer that the model was trained with");
  }
  return tokenizer;
}

}  // namespace weft
