#include "model/layers/embedding.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/elementwise.h"
#include "kernels/embedding.h"

namespace weft {
namespace {

// dwte[token] += dencoded, token rows in order: one op, because any row of wte may be hit.
// docs/model.md#the-shared-embedding
void append_token_embedding_backward(const LayerOps& ops, const BackwardParts& parts,
                                     const EmbeddingActivations& a, const Tiled<float>& dencoded) {
  const Tiled<float>& dwte = parts.dweights.get(Tensor::wte);
  ops.program.add(
      {.name = ops.name("embedding/dwte"),
       .phase = Phase::kBackward,
       .reads = tiles_of({a.inputs.all(), dencoded.all()}),
       .writes = dwte.all(),
       .run = [tokens = a.inputs.column({0, parts.tiling.n()}), dencoded = dencoded.matrix(),
               dwte = dwte.matrix()](std::byte*) { embedding_backward(tokens, dencoded, dwte); }});
}

// dwpe[t] (+)= dencoded of token t of every sequence, sequences in order; one op per tile of wpe.
// Positions from T on have no gradient, and no op writes theirs.
// docs/model.md#embedding
void append_position_embedding_backward(const LayerOps& ops, const BackwardParts& parts,
                                        const Tiled<float>& dencoded) {
  const Tiled<float>& dwpe = parts.dweights.get(Tensor::wpe);
  const int64_t B = parts.tiling.B, T = parts.tiling.T;
  OpName name = ops.name("embedding/dwpe");
  const std::vector<Range> tiles = dwpe.row_ranges();
  for (size_t i = 0; i < tiles.size() && tiles[i].begin < T; ++i) {
    const Range positions{tiles[i].begin, std::min(tiles[i].end, T)};
    std::vector<TileId> reads;
    for (int64_t b = 0; b < B; ++b) {
      reads = tiles_of({reads, dencoded.over({b * T + positions.begin, b * T + positions.end})});
    }
    name.tile = fmt::format("{}", i);
    ops.program.add({.name = name,
                     .phase = Phase::kBackward,
                     .reads = reads,
                     .writes = dwpe.over(positions),
                     .run = [B, T, positions, first = parts.micro.first,
                             dencoded = dencoded.matrix(), dwpe = dwpe.matrix()](std::byte*) {
                       if (first) fill_zero(dwpe.row_block(positions.begin, positions.size()));
                       for (int64_t b = 0; b < B; ++b) {
                         for (int64_t t = positions.begin; t < positions.end; ++t) {
                           add(dencoded.row(b * T + t), dwpe.row(t));
                         }
                       }
                     }});
  }
}

}  // namespace

EmbeddingActivations allocate_embedding(const StepMatrices& matrices, int64_t C) {
  const EmbeddingActivations a = {.inputs = matrices.per_row<int32_t>("inputs"),
                                  .positions = matrices.per_row<int32_t>("positions"),
                                  .encoded = matrices.whole_rows("encoded", C)};
  for (int64_t i = 0; i < matrices.tiling().n(); ++i) {
    a.positions.matrix().at(i, 0) = static_cast<int32_t>(i % matrices.tiling().T);
  }
  return a;
}

// docs/model.md#embedding
void append_embedding_forward(const LayerOps& ops, const LayerParts& parts,
                              const EmbeddingActivations& a) {
  const Tiled<float>& wte = parts.weights.get(Tensor::wte);
  const Tiled<float>& wpe = parts.weights.get(Tensor::wpe);
  OpName name = ops.name("embedding/forward");
  const std::vector<Range> row_ranges = a.encoded.row_ranges();
  for (size_t i = 0; i < row_ranges.size(); ++i) {
    const Range rows = row_ranges[i];
    name.tile = fmt::format("r{}", i);
    ops.program.add(
        {.name = name,
         .phase = Phase::kForward,
         .reads = tiles_of({a.inputs.over(rows), a.positions.over(rows), wte.all(), wpe.all()}),
         .writes = a.encoded.over(rows),
         .run = [tokens = a.inputs.column(rows), positions = a.positions.column(rows),
                 wte = wte.matrix(), wpe = wpe.matrix(), out = a.encoded.block(rows)](std::byte*) {
           embedding_forward(tokens, positions, wte, wpe, out);
         }});
  }
}

// docs/model.md#the-shared-embedding
void append_embedding_backward(const LayerOps& ops, const BackwardParts& parts,
                               const EmbeddingActivations& a, const Tiled<float>& dencoded) {
  const bool takes_token_rows = parts.sink.takes_token_rows();
  if (!takes_token_rows) append_token_embedding_backward(ops, parts, a, dencoded);
  append_position_embedding_backward(ops, parts, dencoded);
  if (!takes_token_rows) parts.complete(Tensor::wte, 0);
  parts.complete(Tensor::wpe, 0);
}

}  // namespace weft
