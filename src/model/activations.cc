#include "model/activations.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/math.h"

namespace weft {
namespace {

// The gradient of the classifier's input sums over the vocabulary in this many groups, side by
// side, added pairwise in a fixed tree. From the design, not from the thread count.
constexpr int64_t kVocabularyGroups = 16;

// Allocates named, tiled matrices of n token rows.
class RowMatrices {
 public:
  RowMatrices(Arena& arena, TileTable& tiles, const Tiling& tiling)
      : arena_(arena), tiles_(tiles), tiling_(tiling) {}

  // What layernorm and its kind write: whole rows.
  Tiled<float> full_rows(const std::string& name, int64_t cols) const {
    return allocate_tiled<float>(arena_, tiles_, name, tiling_.n(), cols, tiling_.norm_rows, cols);
  }
  Operand full_row_operand(const std::string& name, int64_t cols) const {
    return operand(name, cols, tiling_.norm_rows, cols);
  }
  ResidualGradient residual_gradient(const std::string& name, int64_t C) const {
    const Tiled<float> sum = full_rows(name, C);
    if (tiling_.precision == Precision::kFp32) return {sum, sum};
    return {sum, full_row_operand(name + "_bf16", C)};
  }
  // The output of y = x W^T with K inputs, cut as its ops are.
  Tiled<float> output(const std::string& name, int64_t cols, int64_t K) const {
    return allocate_tiled<float>(arena_, tiles_, name, tiling_.n(), cols, tiling_.rows,
                                 tiling_.columns(cols, K));
  }
  Operand output_operand(const std::string& name, int64_t cols, int64_t K) const {
    return operand(name, cols, tiling_.rows, tiling_.columns(cols, K));
  }
  // Tiles of one sequence by one group of heads.
  Operand heads(const std::string& name, int64_t cols, int64_t group_cols) const {
    return operand(name, cols, tiling_.T, group_cols);
  }
  template <typename T>
  Tiled<T> per_row(const std::string& name) const {
    return allocate_tiled<T>(arena_, tiles_, name, tiling_.n(), 1, tiling_.norm_rows, 1);
  }
  LayernormActivations layernorm(const std::string& name, int64_t C) const {
    return {full_row_operand(name, C), per_row<float>(name + "_mean"),
            per_row<float>(name + "_rstd")};
  }
  // One row of partial sums per row tile.
  Tiled<float> partials(const std::string& name, int64_t C) const {
    return allocate_tiled<float>(arena_, tiles_, name, ceil_div(tiling_.n(), tiling_.norm_rows), C,
                                 1, C);
  }

 private:
  Operand operand(const std::string& name, int64_t cols, int64_t row_tile, int64_t col_tile) const {
    return allocate_operand(tiling_.precision, arena_, tiles_, name, tiling_.n(), cols, row_tile,
                            col_tile);
  }

  Arena& arena_;
  TileTable& tiles_;
  const Tiling& tiling_;
};

// What allocate(prefix of tile names) gives, for each layer its own, or shared in turns.
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

// All but residual_out, which may live longer than the rest.
BlockActivations allocate_block(Arena& arena, TileTable& tiles, const Config& config,
                                const Tiling& tiling, const std::string& at) {
  const RowMatrices rows(arena, tiles, tiling);
  const int64_t C = config.C, group = tiling.heads;
  BlockActivations block;
  block.ln1 = rows.layernorm(at + "ln1", C);
  block.qkv = rows.output_operand(at + "qkv", 3 * C, C);
  block.atty = rows.heads(at + "atty", C, group * config.HS());
  block.lse = allocate_tiled<float>(arena, tiles, at + "lse", tiling.B, config.NH * tiling.T, 1,
                                    group * tiling.T);
  block.residual_mid = rows.output(at + "residual_mid", C, C);
  block.ln2 = rows.layernorm(at + "ln2", C);
  block.fch = rows.output_operand(at + "fch", 4 * C, C);
  return block;
}

std::vector<BlockActivations> allocate_blocks(Arena& arena, TileTable& tiles, const Config& config,
                                              const Tiling& tiling, Kept kept) {
  const RowMatrices rows(arena, tiles, tiling);
  auto blocks = for_layers(config.L, kept == Kept::kEverything, [&](const std::string& at) {
    return allocate_block(arena, tiles, config, tiling, at);
  });
  const auto outputs = for_layers(config.L, kept != Kept::kNothing, [&](const std::string& at) {
    return rows.output(at + "residual_out", config.C, 4 * config.C);
  });
  for (size_t layer = 0; layer < blocks.size(); ++layer) {
    blocks[layer].residual_out = outputs[layer];
  }
  return blocks;
}

Gradients::Block allocate_gradients(Arena& arena, TileTable& tiles, const Config& config,
                                    const Tiling& tiling, int64_t slot) {
  const RowMatrices rows(arena, tiles, tiling);
  const std::string at = fmt::format("slot{}/", slot);
  const int64_t C = config.C;
  Gradients::Block block;
  // dx = dy W has as many columns as W has inputs, and sums over its outputs.
  block.dfch = rows.output_operand(at + "dfch", 4 * C, C);
  block.dln2 = rows.output(at + "dln2", C, 4 * C);
  block.dresidual_mid = rows.residual_gradient(at + "dresidual_mid", C);
  block.datty = rows.output_operand(at + "datty", C, C);
  block.dqkv = rows.heads(at + "dqkv", 3 * C, tiling.heads * config.HS());
  block.dln1 = rows.output(at + "dln1", C, 3 * C);
  block.dresidual_in = rows.residual_gradient(at + "dresidual_in", C);
  block.dln1w = rows.partials(at + "dln1w", C);
  block.dln1b = rows.partials(at + "dln1b", C);
  block.dln2w = rows.partials(at + "dln2w", C);
  block.dln2b = rows.partials(at + "dln2b", C);
  return block;
}

}  // namespace

// docs/model.md#memory-for-time
Activations::Activations(Arena& arena, TileTable& tiles, const Config& config, const Tiling& tiling,
                         Kept kept) {
  const RowMatrices rows(arena, tiles, tiling);
  inputs = rows.per_row<int32_t>("inputs");
  targets = rows.per_row<int32_t>("targets");
  positions = rows.per_row<int32_t>("positions");
  for (int64_t i = 0; i < tiling.n(); ++i) {
    positions.matrix().at(i, 0) = static_cast<int32_t>(i % tiling.T);
  }
  encoded = rows.full_rows("encoded", config.C);
  blocks = allocate_blocks(arena, tiles, config, tiling, kept);
  if (kept != Kept::kEverything) overwritten_blocks = std::max<int64_t>(0, config.L - kRing);
  for (size_t slot = 0; slot < fch_gelu_ring.size(); ++slot) {
    fch_gelu_ring[slot] =
        rows.output_operand(fmt::format("slot{}/fch_gelu", slot), 4 * config.C, config.C);
  }
  lnf = rows.layernorm("lnf", config.C);
  losses = rows.per_row<float>("losses");
  loss = allocate_tiled<double>(arena, tiles, "loss", 1, 1, 1, 1);

  logits_memory = {arena.vector<float>(tiling.classifier_rows * config.Vp()).data(),
                   tiling.classifier_rows, config.Vp(), tiling.vocabulary_columns};
  for (int64_t j = 0; j < logits_memory.blocks(); ++j) {
    const Matrix<float> block = logits_memory.block(j);
    logits.emplace_back(tiles, fmt::format("logits{}", j), block, tiling.norm_rows, block.cols);
  }
}

// docs/model.md#letters-and-shapes
Gradients::Gradients(Arena& arena, TileTable& tiles, const Config& config, const Tiling& tiling) {
  const RowMatrices rows(arena, tiles, tiling);
  for (int64_t slot = 0; slot < kRing; ++slot) {
    blocks[size_t(slot)] = allocate_gradients(arena, tiles, config, tiling, slot);
  }
  const int64_t blocks_of_logits = ceil_div(config.Vp(), tiling.vocabulary_columns);
  for (int64_t g = 0; g < std::min(kVocabularyGroups, blocks_of_logits); ++g) {
    dlnf_partial.push_back(allocate_tiled<float>(arena, tiles, fmt::format("dlnf_partial{}", g),
                                                 tiling.classifier_rows, config.C, tiling.rows,
                                                 tiling.classifier_columns));
  }
  dlnf = allocate_tiled<float>(arena, tiles, "dlnf", tiling.n(), config.C, tiling.rows,
                               tiling.classifier_columns);
  dresidual_final = rows.residual_gradient("dresidual_final", config.C);
  dlnfw = rows.partials("dlnfw", config.C);
  dlnfb = rows.partials("dlnfb", config.C);
}

}  // namespace weft
