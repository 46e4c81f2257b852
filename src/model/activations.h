// The memory of a step beside its parameters: the activations that forward leaves for backward, and
// the gradients that backward passes from layer to layer.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/arena.h"
#include "model/config.h"
#include "model/layers/attention.h"
#include "model/layers/classifier.h"
#include "model/layers/embedding.h"
#include "model/layers/mlp.h"
#include "model/layers/norm.h"
#include "model/tiling.h"
#include "program/tiled.h"

namespace weft {

struct BlockActivations {
  NormActivations ln1;
  AttentionActivations attention;
  Tiled<float> residual_mid;  // (n, C)  after attention
  NormActivations ln2;
  MlpActivations mlp;
  Tiled<float> residual_out;  // (n, C)  after the MLP
};

// Which activations of a block outlive its forward pass. Layers take turns with the others: layer l
// uses set l mod 2, so that a layer can start while the one before is still at work.
enum class Kept {
  kEverything,  // all that backward reads
  kInputs,      // the block's input; backward computes the others again
  kNothing,     // no backward follows
};

// For a micro-batch of n = B T token rows; row b T + t is token t of sequence b.
struct Activations {
  static constexpr int64_t kRing = 2;

  Activations(Arena& arena, TileTable& tiles, const Config& config, const Tiling& tiling,
              Kept kept);

  // The residual stream before block `layer`; after the last one for layer = L.
  const Tiled<float>& residual_in(int64_t layer) const {
    return layer == 0 ? embedding.encoded : blocks[static_cast<size_t>(layer - 1)].residual_out;
  }

  EmbeddingActivations embedding;
  std::vector<BlockActivations> blocks;  // some share their tiles, see Kept
  int64_t overwritten_blocks = 0;        // this many first ones, by the forward pass of later ones
  NormActivations lnf;
  ClassifierActivations classifier;
};

struct BlockGradients {
  MlpGradients mlp;
  NormGradients ln2;  // its dx is the gradient of residual_mid
  AttentionGradients attention;
  NormGradients ln1;  // its dx is the gradient of the block's input
};

// Two of everything that backward hands from one layer to the next: layer l uses number l mod 2, so
// that a layer can start while weight gradients of the one above still read theirs.
struct Gradients {
  static constexpr int64_t kRing = 2;

  Gradients(Arena& arena, TileTable& tiles, const Config& config, const Tiling& tiling);

  const BlockGradients& block(int64_t layer) const {
    return blocks[static_cast<size_t>(layer % kRing)];
  }

  // The gradient of `encoded`, when backward has ended.
  const Tiled<float>& dencoded() const { return block(0).ln1.dx.sum; }

  // The gradient of block `layer`'s output: layer L - 1 receives it from the final norm.
  const ResidualGradient& dresidual_out(int64_t layer, int64_t L) const {
    return layer + 1 == L ? lnf.dx : block(layer + 1).ln1.dx;
  }

  std::array<BlockGradients, kRing> blocks;
  ClassifierGradients classifier;
  NormGradients lnf;
};

}  // namespace weft
