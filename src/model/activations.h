// Activations: what forward leaves for backward, and what backward passes from layer to layer.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/arena.h"
#include "kernels/cross_entropy.h"
#include "model/config.h"
#include "model/operand.h"
#include "model/tiling.h"
#include "program/tiled.h"

namespace weft {

// What matrix products read is an Operand: fp32 or bf16, by the tiling's precision. The rest is
// fp32 in every step.

// The output of a layernorm and the statistics that its backward needs.
struct LayernormActivations {
  Operand out;        // (n, C)
  Tiled<float> mean;  // (n, 1)
  Tiled<float> rstd;  // (n, 1)
};

struct BlockActivations {
  LayernormActivations ln1;
  Operand qkv;                // (n, 3C)  queries, keys, values side by side
  Operand atty;               // (n, C)   heads side by side
  Tiled<float> lse;           // (B, NH T) log-sum-exp of every softmax row
  Tiled<float> residual_mid;  // (n, C)   after attention
  LayernormActivations ln2;
  Operand fch;                // (n, 4C)  before GELU
  Tiled<float> residual_out;  // (n, C)   after the MLP
};

// What of each block outlives its forward pass. Layers take turns with the rest: layer l uses set
// l mod 2, so that a layer can start while the one before is still at work.
enum class Kept {
  kEverything,  // all that backward reads
  kInputs,      // backward computes the rest again
  kNothing,     // no backward follows
};

// For a micro-batch of n = B T token rows; row b T + t is token t of sequence b.
struct Activations {
  static constexpr int64_t kRing = 2;

  Activations(Arena& arena, TileTable& tiles, const Config& config, const Tiling& tiling,
              Kept kept);

  const Tiled<float>& residual_in(int64_t layer) const {
    return layer == 0 ? encoded : blocks[static_cast<size_t>(layer - 1)].residual_out;
  }

  // Layers always take turns: backward computes it again where it needs it.
  const Operand& fch_gelu(int64_t layer) const {
    return fch_gelu_ring[static_cast<size_t>(layer % kRing)];
  }

  Tiled<int32_t> inputs;                     // (n, 1) written by the trainer before a program runs
  Tiled<int32_t> targets;                    // (n, 1) likewise
  Tiled<int32_t> positions;                  // (n, 1) row mod T
  Tiled<float> encoded;                      // (n, C)
  std::vector<BlockActivations> blocks;      // some share their tiles, see Kept
  int64_t overwritten_blocks = 0;            // the first ones, by the forward pass of later ones
  std::array<Operand, kRing> fch_gelu_ring;  // (n, 4C) gelu(fch)
  LayernormActivations lnf;
  Tiled<float> losses;  // (n, 1)
  Tiled<double> loss;   // (1, 1) mean over the optimizer step's tokens

  // Logits of `classifier_rows` rows: block j of columns is a contiguous matrix (see ColumnBlocks),
  // cut into row tiles. In a bf16 step their gradients lie where bf16_in_place says.
  ColumnBlocks logits_memory;
  std::vector<Tiled<float>> logits;
};

// The gradient of the residual stream, and what matrix products read of it: the same tiles in fp32,
// or a bf16 copy.
struct ResidualGradient {
  Tiled<float> sum;  // (n, C)
  Operand operand;   // (n, C)
};

// Two of everything that backward hands from one layer to the next: layer l uses number l mod 2, so
// that a layer can start while weight gradients of the one above still read theirs.
struct Gradients {
  static constexpr int64_t kRing = 2;

  struct Block {
    Operand dfch;       // (n, 4C)
    Tiled<float> dln2;  // (n, C)
    ResidualGradient dresidual_mid;
    Operand datty;      // (n, C)
    Operand dqkv;       // (n, 3C)
    Tiled<float> dln1;  // (n, C)
    ResidualGradient dresidual_in;
    Tiled<float> dln1w, dln1b;  // (layernorm ops, C) partial sums of dweight, dbias
    Tiled<float> dln2w, dln2b;
  };

  Gradients(Arena& arena, TileTable& tiles, const Config& config, const Tiling& tiling);

  const Block& block(int64_t layer) const { return blocks[static_cast<size_t>(layer % kRing)]; }

  // The gradient of `encoded`, when backward has ended.
  const Tiled<float>& dencoded() const { return block(0).dresidual_in.sum; }

  // The gradient of block `layer`'s output: layer L - 1 receives it from the final layernorm.
  const ResidualGradient& dresidual_out(int64_t layer, int64_t L) const {
    return layer + 1 == L ? dresidual_final : block(layer + 1).dresidual_in;
  }

  std::array<Block, kRing> blocks;
  std::vector<Tiled<float>> dlnf_partial;  // per group of vocabulary blocks, (classifier_rows, C)
  Tiled<float> dlnf;                       // (n, C)
  ResidualGradient dresidual_final;
  Tiled<float> dlnfw, dlnfb;  // (layernorm ops, C)
};

}  // namespace weft
