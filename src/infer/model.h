// Models from disk, ready to use: weights, and the tokenizer that goes with them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "app/cli/terminal.h"
#include "base/arena.h"
#include "data/tokenizer.h"
#include "formats/model_reader.h"
#include "model/config.h"
#include "model/parameters.h"

namespace weft {

// Owns its weights.
class LoadedModel {
 public:
  // Accepts what find_model accepts. Throws Error (kInput).
  explicit LoadedModel(const std::filesystem::path& path);

  const Config& config() const { return table_.config(); }
  const ParameterTable& table() const { return table_; }
  const ParameterView& weights() const { return weights_; }
  const NonFiniteWeights& non_finite() const { return non_finite_; }

 private:
  ParameterTable table_;
  Arena arena_;
  ParameterView weights_;
  NonFiniteWeights non_finite_;
};

// A line if weights are not finite: what they lead to is not the user's data's fault.
void note_non_finite(const LoadedModel& model, Terminal& terminal);

// The tokenizer that `--tokenizer` names or, if it is empty, the one that belongs to the model: the
// files beside it, or bytes where its vocabulary is that of bytes. Null if there is none.
// Throws Error (kInput) if its tokens do not fit the model's vocabulary.
std::shared_ptr<const Tokenizer> find_tokenizer(const std::string& path_or_bytes,
                                                const std::filesystem::path& model,
                                                const Config& config);

}  // namespace weft
