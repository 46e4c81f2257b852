// Model: a stored model, in whatever format: its config, its weights, and the tokenizer that goes
// with it. All commands that read a model do it through this class.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/arena.h"
#include "base/error.h"
#include "data/tokenizer.h"
#include "formats/model_reader.h"
#include "model/config.h"
#include "model/parameters.h"

namespace weft {

// Opening reads the config alone, so that a command can check its other inputs before it reads the
// weights.
class Model {
 public:
  // Accepts what find_model accepts. Throws Error (kInput).
  explicit Model(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const Config& config() const { return table_.config(); }
  const ParameterTable& table() const { return table_; }

  // The tokenizer that `--tokenizer` names or, if that is empty, the one of the model: the files
  // beside it, or bytes where the vocabulary has the size of theirs. Null if there is none. Throws
  // Error (kInput) if its tokens do not fit the model's vocabulary.
  std::shared_ptr<const Tokenizer> find_tokenizer(const std::string& path_or_bytes = "") const;
  // For a command that needs a tokenizer where find_tokenizer found none.
  Error no_tokenizer(const std::string& where) const;

  // Reads the weights into memory that the model owns. The result counts those that are not finite.
  // Throws Error: kInput as ModelReader, kFailure if there is too little memory.
  const NonFiniteWeights& load_weights();
  // REQUIRES: load_weights() has returned.
  const ParameterView& weights() const { return weights_; }
  const NonFiniteWeights& non_finite() const { return non_finite_; }

  // Reads the weights into memory of the caller. Throws Error (kInput) if `weights` is of another
  // config.
  NonFiniteWeights read_weights(const ParameterView& weights) const;

 private:
  std::filesystem::path path_;
  ParameterTable table_;
  Arena arena_;
  ParameterView weights_;
  NonFiniteWeights non_finite_;
};

}  // namespace weft
