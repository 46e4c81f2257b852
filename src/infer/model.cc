#include "infer/model.h"

#include <fmt/format.h>

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

Model::Model(const std::filesystem::path& path) : path_(path), table_(read_model_config(path)) {}

const NonFiniteWeights& Model::load_weights() {
  weights_ = {&table_, arena_.vector<float>(table_.buffer_size())};
  require_memory(arena_.bytes(), path_.string(), "weft keeps weights in fp32");
  non_finite_ = read_weights(weights_);
  return non_finite_;
}

NonFiniteWeights Model::read_weights(const ParameterView& weights) const {
  return read_model_weights(path_, weights);
}

std::shared_ptr<const Tokenizer> Model::find_tokenizer(const std::string& path_or_bytes) const {
  std::shared_ptr<const Tokenizer> tokenizer =
      path_or_bytes.empty() ? tokenizer_of_model(path_, config()) : open_tokenizer(path_or_bytes);
  if (tokenizer && tokenizer->vocabulary_size() > config().V) {
    throw input_error(
        "tokenizer",
        fmt::format("{} has {} tokens, and the vocabulary of {} has V={}", tokenizer->name(),
                    tokenizer->vocabulary_size(), path_.string(), config().V),
        "give the --tokenizer that the model was trained with");
  }
  return tokenizer;
}

Error Model::no_tokenizer(const std::string& where) const {
  return input_error(where, fmt::format("there is no tokenizer beside {}", path_.string()),
                     "name it with --tokenizer");
}

}  // namespace weft
