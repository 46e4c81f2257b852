// The architecture of GPT-2 as a table: the one place that knows the name, shape, weight decay and
// initial values of each tensor, its place in llm.c's files, and its name in Hugging Face's and
// whether it is transposed there. Memory layout, tiles, checkpoints, shards and both file formats
// are derived from it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "model/config.h"

namespace weft {

// The kinds of tensors, in the order of the table below. Weights are (outputs, inputs):
// y = x W^T + b.
enum class Tensor {
  wte,   // token embedding, shared with the classifier
  wpe,   // position embedding
  ln1w,  // one per block, from here
  ln1b,
  qkvw,  // rows: queries [0, C), keys [C, 2C), values [2C, 3C)
  qkvb,
  attprojw,
  attprojb,
  ln2w,
  ln2b,
  fcw,
  fcb,
  fcprojw,
  fcprojb,  // one per block, to here
  lnfw,
  lnfb,
};
inline constexpr int kTensors = 16;

// The part of the model that reads a tensor. Each of the L blocks has tensors of its own.
enum class Part { kEmbedding, kBlock, kFinal };

// A size of the model by its letter. A vector has one row.
enum class Dim { one, maxT, Vp, C, C3, C4 };

// The use of a tensor: it decides how the tensor is cut into tiles.
enum class Role {
  kTokenRows,     // a row per token of the vocabulary
  kPositionRows,  // a row per position
  kLinearWeight,
  kLinearBias,  // of the weight on the line above it in the table
  kNorm,        // of a normalisation
};

enum class Init {
  kZero,
  kOne,
  kNormal,        // normal(0, 0.02)
  kIntoResidual,  // normal(0, 0.02 / sqrt(2 L)): 2 L projections add to the residual stream
};

struct TensorInfo {
  const char* name;  // llm.c's
  Part part;
  Dim rows, cols;
  Role role;
  bool decay;  // whether AdamW shrinks it: matrices only
  Init init;
  const char* hf_name;         // without "h.<layer>."
  bool hf_transposed = false;  // Hugging Face keeps weights of linear layers as (inputs, outputs)
};

// In the order of llm.c's files, which hold all layers of a tensor side by side.
// docs/model.md#letters-and-shapes
// clang-format off
inline constexpr std::array<TensorInfo, kTensors> kArchitecture = {{
    {"wte",      Part::kEmbedding, Dim::Vp,   Dim::C,  Role::kTokenRows,    true,  Init::kNormal,       "wte.weight"},
    {"wpe",      Part::kEmbedding, Dim::maxT, Dim::C,  Role::kPositionRows, true,  Init::kNormal,       "wpe.weight"},
    {"ln1w",     Part::kBlock,     Dim::one,  Dim::C,  Role::kNorm,         false, Init::kOne,          "ln_1.weight"},
    {"ln1b",     Part::kBlock,     Dim::one,  Dim::C,  Role::kNorm,         false, Init::kZero,         "ln_1.bias"},
    {"qkvw",     Part::kBlock,     Dim::C3,   Dim::C,  Role::kLinearWeight, true,  Init::kNormal,       "attn.c_attn.weight", true},
    {"qkvb",     Part::kBlock,     Dim::one,  Dim::C3, Role::kLinearBias,   false, Init::kZero,         "attn.c_attn.bias"},
    {"attprojw", Part::kBlock,     Dim::C,    Dim::C,  Role::kLinearWeight, true,  Init::kIntoResidual, "attn.c_proj.weight", true},
    {"attprojb", Part::kBlock,     Dim::one,  Dim::C,  Role::kLinearBias,   false, Init::kZero,         "attn.c_proj.bias"},
    {"ln2w",     Part::kBlock,     Dim::one,  Dim::C,  Role::kNorm,         false, Init::kOne,          "ln_2.weight"},
    {"ln2b",     Part::kBlock,     Dim::one,  Dim::C,  Role::kNorm,         false, Init::kZero,         "ln_2.bias"},
    {"fcw",      Part::kBlock,     Dim::C4,   Dim::C,  Role::kLinearWeight, true,  Init::kNormal,       "mlp.c_fc.weight", true},
    {"fcb",      Part::kBlock,     Dim::one,  Dim::C4, Role::kLinearBias,   false, Init::kZero,         "mlp.c_fc.bias"},
    {"fcprojw",  Part::kBlock,     Dim::C,    Dim::C4, Role::kLinearWeight, true,  Init::kIntoResidual, "mlp.c_proj.weight", true},
    {"fcprojb",  Part::kBlock,     Dim::one,  Dim::C,  Role::kLinearBias,   false, Init::kZero,         "mlp.c_proj.bias"},
    {"lnfw",     Part::kFinal,     Dim::one,  Dim::C,  Role::kNorm,         false, Init::kOne,          "ln_f.weight"},
    {"lnfb",     Part::kFinal,     Dim::one,  Dim::C,  Role::kNorm,         false, Init::kZero,         "ln_f.bias"},
}};
// clang-format on

constexpr const TensorInfo& info(Tensor tensor) {
  return kArchitecture[static_cast<size_t>(tensor)];
}
constexpr const char* tensor_name(Tensor tensor) { return info(tensor).name; }
constexpr bool is_per_layer(Tensor tensor) { return info(tensor).part == Part::kBlock; }

int64_t size_of(Dim dim, const Config& config);

}  // namespace weft
