#include "model/activations.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace weft {
namespace {

// allocate(prefix of tile names) for each layer; unless every layer has its own, two sets in turn.
template <typename Allocate>
auto for_layers(int64_t L, bool own, const Allocate& allocate) {
  std::vector<decltype(allocate(std::string()))> all;
  for (int64_t layer = 0; layer < L; ++layer) {
    const bool shared = !own && layer >= Activations::kRing;
    all.push_back(shared ? all[static_cast<size_t>(layer - Activations::kRing)]
                         : allocate(fmt::format("{}{}/", own ? "block" : "slot", layer)));
  }
  return all;
}

// All but fch_gelu and residual_out, which live shorter or longer than the others.
BlockActivations allocate_block(const StepMatrices& matrices, const std::string& at,
                                const Config& config) {
  const int64_t C = config.C;
  BlockActivations block;
  block.ln1 = allocate_norm(matrices, at, kLn1, C);
  block.attention = allocate_attention(matrices, at, config);
  block.residual_mid = matrices.product(at + "residual_mid", C, C);
  block.ln2 = allocate_norm(matrices, at, kLn2, C);
  block.mlp.fch = allocate_fch(matrices, at, C);
  return block;
}

std::vector<BlockActivations> allocate_blocks(const StepMatrices& matrices, const Config& config,
                                              Kept kept) {
  const int64_t C = config.C, L = config.L;
  auto blocks = for_layers(L, kept == Kept::kEverything, [&](const std::string& at) {
    return allocate_block(matrices, at, config);
  });
  const auto outputs = for_layers(L, kept != Kept::kNothing, [&](const std::string& at) {
    return matrices.product(at + "residual_out", C, 4 * C);
  });
  const auto fch_gelu = for_layers(
      L, false, [&](const std::string& at) { return allocate_fch_gelu(matrices, at, C); });
  for (size_t layer = 0; layer < blocks.size(); ++layer) {
    blocks[layer].residual_out = outputs[layer];
    blocks[layer].mlp.fch_gelu = fch_gelu[layer];
  }
  return blocks;
}

BlockGradients allocate_block_gradients(const StepMatrices& matrices, const std::string& at,
                                        const Config& config) {
  const int64_t C = config.C;
  const Tiled<float> dln1 = matrices.product(at + "dln1", C, 3 * C);
  const Tiled<float> dln2 = matrices.product(at + "dln2", C, 4 * C);
  return {.mlp = allocate_mlp_gradients(matrices, at, C),
          .ln2 = allocate_norm_gradients(matrices, at, kLn2, dln2, "dresidual_mid"),
          .attention = allocate_attention_gradients(matrices, at, config),
          .ln1 = allocate_norm_gradients(matrices, at, kLn1, dln1, "dresidual_in")};
}

}  // namespace

// docs/model.md#memory-for-time
Activations::Activations(Arena& arena, TileTable& tiles, const Config& config, const Tiling& tiling,
                         Kept kept) {
  const StepMatrices matrices(arena, tiles, tiling);
  embedding = allocate_embedding(matrices, config.C);
  blocks = allocate_blocks(matrices, config, kept);
  if (kept != Kept::kEverything) overwritten_blocks = std::max<int64_t>(0, config.L - kRing);
  lnf = allocate_norm(matrices, "", kLnf, config.C);
  classifier = allocate_classifier(matrices, config);
}

// docs/model.md#letters-and-shapes
Gradients::Gradients(Arena& arena, TileTable& tiles, const Config& config, const Tiling& tiling) {
  const StepMatrices matrices(arena, tiles, tiling);
  for (int64_t slot = 0; slot < kRing; ++slot) {
    blocks[size_t(slot)] = allocate_block_gradients(matrices, fmt::format("slot{}/", slot), config);
  }
  classifier = allocate_classifier_gradients(matrices, config);
  lnf = allocate_norm_gradients(matrices, "", kLnf, classifier.dx, "dresidual_final");
}

}  // namespace weft
