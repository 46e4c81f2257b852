#include "model/classifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "kernels/cross_entropy.h"
#include "kernels/elementwise.h"
#include "kernels/kernel_costs.h"
#include "kernels/transpose.h"
#include "model/kernel_cache.h"
#include "model/linear_kernels.h"

namespace weft {
namespace {

// A chunk's rows among all token rows, and the same rows inside the logits buffer.
struct Chunk {
  int64_t index;
  Range rows;

  Range local() const { return {0, rows.size()}; }
  OpName op_name(const char* kind, std::string tile) const {
    return {.kind = kind, .index = index, .tile = std::move(tile)};
  }
};

std::vector<Chunk> chunks_of(const StepParts& parts) {
  std::vector<Chunk> chunks;
  for (const Range& rows : split(parts.tiling.n(), parts.tiling.classifier_rows)) {
    chunks.push_back({std::ssize(chunks), rows});
  }
  return chunks;
}

// Row tiles of a chunk: as rows of the batch, and as rows of the logits buffer.
struct RowTile {
  size_t index;
  Range rows, local;
};

std::vector<RowTile> row_tiles_of(const Chunk& chunk, int64_t tile_rows) {
  std::vector<RowTile> tiles;
  for (const Range& local : split(chunk.rows.size(), tile_rows)) {
    tiles.push_back(
        {tiles.size(), {chunk.rows.begin + local.begin, chunk.rows.begin + local.end}, local});
  }
  return tiles;
}

// Rows of wte whose logits are block j.
Range vocabulary_range(const StepParts& parts, size_t j) {
  const int64_t begin = static_cast<int64_t>(j) * parts.tiling.vocabulary_columns;
  return {begin, std::min(begin + parts.tiling.vocabulary_columns, parts.config.Vp())};
}

// logits[:, block j] = lnf wte[block j]^T
// docs/model.md#classifier
void append_logits(Program& program, const StepParts& parts, const Chunk& chunk) {
  const Activations& a = parts.activations;
  const Tiled<float>& wte = parts.weights.get(Tensor::wte);
  a.lnf.out.visit([&](const auto& lnf) {
    using Kernels = LinearKernels<ElementOf<decltype(lnf)>>;
    KernelCache<typename Kernels::Forward> kernels;
    for (size_t j = 0; j < a.logits.size(); ++j) {
      const Range words = vocabulary_range(parts, j);
      auto kernel = kernels.get(chunk.rows.size(), words.size(), [&] {
        return Kernels::forward(parts.backend, chunk.rows.size(), words.size(), parts.config.C,
                                lnf.matrix().stride, words.size());
      });
      program.add(
          {.name = chunk.op_name("classifier/logits", fmt::format("v{}", j)),
           .phase = Phase::kForward,
           .reads = tiles_of({lnf.over(chunk.rows), wte.over(words)}),
           .writes = a.logits[j].over(chunk.local()),
           .run = [kernel, x = lnf.block(chunk.rows), W = wte.block(words),
                   y = a.logits[j].block(chunk.local())](
                      std::byte* scratch) { (*kernel)(x, W, y, scratch); },
           .scratch_bytes = kernel->scratch_bytes(),
           .flops = kernel_cost::linear_forward(double(chunk.rows.size()), double(words.size()),
                                                double(parts.config.C))
                        .flops});
    }
  });
}

// The gradient of a block of logits: in its place, in either precision.
Matrix<const float> dlogits_of(Matrix<float> logits, float) { return logits; }
Matrix<const BFloat16> dlogits_of(Matrix<float> logits, BFloat16) { return bf16_in_place(logits); }

enum class Gradient { kNo, kYes };

// losses = cross-entropy of the logits; with gradient, logits become dlogits.
// docs/model.md#cross-entropy
void append_cross_entropy(Program& program, const StepParts& parts, const Chunk& chunk,
                          Gradient gradient, float scale) {
  const Activations& a = parts.activations;
  for (const RowTile& tile : row_tiles_of(chunk, parts.tiling.norm_rows)) {
    std::vector<TileId> logits;
    for (const Tiled<float>& block : a.logits) {
      const std::vector<TileId> ids = block.over(tile.local);
      logits.insert(logits.end(), ids.begin(), ids.end());
    }
    const std::vector<TileId> losses = a.losses.over(tile.rows);
    const bool with_gradient = gradient == Gradient::kYes;
    const auto backward = parts.tiling.precision == Precision::kBf16
                              ? cross_entropy_forward_backward_bf16
                              : cross_entropy_forward_backward;
    program.add({.name = chunk.op_name("classifier/cross_entropy", fmt::format("r{}", tile.index)),
                 .phase = Phase::kForward,
                 .reads = tiles_of({a.targets.over(tile.rows), logits}),
                 .writes = with_gradient ? tiles_of({losses, logits}) : losses,
                 .run = [with_gradient, backward, scale, tile, V = parts.config.V,
                         logits = a.logits_memory, targets = a.targets.column(tile.rows),
                         losses = a.losses.column(tile.rows)](std::byte*) {
                   if (with_gradient) {
                     backward(logits, tile.local.begin, V, targets, scale, losses);
                   } else {
                     cross_entropy_forward(logits, tile.local.begin, V, targets, losses);
                   }
                 }});
  }
}

// dwte[block j] (+)= dlogits[:, block j]^T lnf: the first gradient of wte in a step overwrites.
// docs/model.md#the-shared-embedding
void append_dwte(Program& program, const TrainingParts& parts, const Chunk& chunk,
                 const MicroStep& micro) {
  const bool accumulate = chunk.index > 0 || !micro.first;
  const Activations& a = parts.activations;
  const Tiled<float>& dwte = parts.dweights.get(Tensor::wte);
  a.lnf.out.visit([&](const auto& lnf) {
    using T = ElementOf<decltype(lnf)>;
    using Kernels = LinearKernels<T>;
    KernelCache<typename Kernels::BackwardWeight> kernels;
    for (size_t j = 0; j < a.logits.size(); ++j) {
      const Range words = vocabulary_range(parts, j);
      auto kernel = kernels.get(chunk.rows.size(), words.size(), [&] {
        return Kernels::backward_weight(parts.backend, chunk.rows.size(), words.size(),
                                        parts.config.C, dwte.matrix().stride, accumulate);
      });
      program.add(
          {.name = chunk.op_name("classifier/dW", fmt::format("v{}", j)),
           .phase = Phase::kBackward,
           .reads = tiles_of({a.logits[j].over(chunk.local()), lnf.over(chunk.rows)}),
           .writes = dwte.over(words),
           .run = [kernel, dy = dlogits_of(a.logits[j].block(chunk.local()), T()),
                   x = lnf.block(chunk.rows), dW = dwte.block(words)](
                      std::byte* scratch) { (*kernel)(dy, x, dW, {}, scratch); },
           .scratch_bytes = kernel->scratch_bytes(),
           .flops = kernel_cost::linear_backward_weight(
                        double(chunk.rows.size()), double(words.size()), double(parts.config.C))
                        .flops});
    }
  });
}

// partial[g] = sum over the blocks j of group g of dlogits[:, block j] wte[block j], for one tile
// of the partial: the sum stays in cache while the blocks pass.
// docs/model.md#classifier
template <typename T>
void append_dlnf_partial(Program& program, const TrainingParts& parts, const Chunk& chunk,
                         const RowTile& tile, const Range& cols, int64_t g) {
  using Kernels = LinearKernels<T>;
  struct Step {
    typename Kernels::BackwardInput kernel;
    Matrix<const T> dy;
    Matrix<const float> W;
  };
  const Activations& a = parts.activations;
  const Tiled<float>& wte = parts.weights.get(Tensor::wte);
  const std::vector<Tiled<float>>& partials = parts.gradients.dlnf_partial;
  const Tiled<float>& partial = partials[static_cast<size_t>(g)];
  const auto groups = static_cast<int64_t>(partials.size());
  const auto blocks = static_cast<int64_t>(a.logits.size());
  std::vector<Step> steps;
  std::vector<TileId> reads;
  for (int64_t j = g * blocks / groups; j < (g + 1) * blocks / groups; ++j) {
    const Range words = vocabulary_range(parts, static_cast<size_t>(j));
    const Tiled<float>& dlogits = a.logits[static_cast<size_t>(j)];
    const Matrix<const T> dy = dlogits_of(dlogits.block(tile.local), T());
    steps.push_back(
        {Kernels::backward_input(parts.backend, tile.rows.size(), words.size(), cols.size(),
                                 dy.stride, partial.matrix().stride, !steps.empty()),
         dy, wte.block(words, cols)});
    reads = tiles_of({reads, dlogits.over(tile.local), wte.over(words)});
  }
  const size_t scratch_bytes = steps.front().kernel.scratch_bytes();
  const double words =
      double(std::accumulate(steps.begin(), steps.end(), int64_t{0},
                             [](int64_t sum, const Step& s) { return sum + s.W.rows; }));
  program.add({.name = chunk.op_name("classifier/dX",
                                     fmt::format("r{},c{},g{}", tile.index,
                                                 cols.begin / parts.tiling.classifier_columns, g)),
               .phase = Phase::kBackward,
               .reads = reads,
               .writes = partial.over(tile.local, cols),
               .run =
                   [steps, dx = partial.block(tile.local, cols)](std::byte* scratch) {
                     for (const Step& s : steps) s.kernel(s.dy, s.W, dx, scratch);
                   },
               .scratch_bytes = scratch_bytes,
               .flops = kernel_cost::linear_backward_input(double(tile.rows.size()), words,
                                                           double(cols.size()), true)
                            .flops});
}

// dlnf = ((p0 + p1) + (p2 + p3)) + ..., the partial sums added pairwise in place.
// docs/model.md#classifier
void append_dlnf_sum(Program& program, const TrainingParts& parts, const Chunk& chunk,
                     const RowTile& tile, const Range& cols) {
  std::vector<Matrix<float>> terms;
  std::vector<TileId> writes = parts.gradients.dlnf.over(tile.rows, cols);
  for (const Tiled<float>& partial : parts.gradients.dlnf_partial) {
    terms.push_back(partial.block(tile.local, cols));
    writes = tiles_of({writes, partial.over(tile.local, cols)});
  }
  program.add({.name = chunk.op_name("classifier/dX_sum",
                                     fmt::format("r{},c{}", tile.index,
                                                 cols.begin / parts.tiling.classifier_columns)),
               .phase = Phase::kBackward,
               .reads = {},
               .writes = writes,
               .run = [terms, dlnf = parts.gradients.dlnf.block(tile.rows, cols)](std::byte*) {
                 for (int64_t r = 0; r < dlnf.rows; ++r) {
                   for (size_t gap = 1; gap < terms.size(); gap *= 2) {
                     for (size_t i = 0; i + gap < terms.size(); i += 2 * gap) {
                       add(terms[i + gap].row(r), terms[i].row(r));
                     }
                   }
                 }
                 copy(terms[0], dlnf);
               }});
}

void append_dlnf(Program& program, const TrainingParts& parts, const Chunk& chunk) {
  const std::vector<Range> col_ranges = parts.gradients.dlnf.col_ranges();
  const auto groups = static_cast<int64_t>(parts.gradients.dlnf_partial.size());
  for (const RowTile& tile : row_tiles_of(chunk, parts.tiling.rows)) {
    for (int64_t g = 0; g < groups; ++g) {
      for (const Range& cols : col_ranges) {
        parts.activations.lnf.out.visit([&](const auto& lnf) {
          append_dlnf_partial<ElementOf<decltype(lnf)>>(program, parts, chunk, tile, cols, g);
        });
      }
    }
    for (const Range& cols : col_ranges) append_dlnf_sum(program, parts, chunk, tile, cols);
  }
}

// loss (+)= sum(losses) / tokens_per_step, added in row order in double.
// docs/model.md#cross-entropy
void append_loss_sum(Program& program, const StepParts& parts, const MicroStep& micro) {
  const Activations& a = parts.activations;
  program.add({.name = {.kind = "loss/sum"},
               .phase = Phase::kForward,
               .reads = a.losses.all(),
               .writes = a.loss.all(),
               .run = [micro, losses = a.losses.column({0, parts.tiling.n()}),
                       loss = a.loss.matrix().data](std::byte*) {
                 double sum = 0.;
                 for (float value : losses) sum += double(value);
                 const double mean = sum / double(micro.tokens_per_step);
                 *loss = micro.first ? mean : *loss + mean;
               }});
}

}  // namespace

void append_loss(Program& program, const StepParts& parts, const MicroStep& micro) {
  for (const Chunk& chunk : chunks_of(parts)) {
    append_logits(program, parts, chunk);
    append_cross_entropy(program, parts, chunk, Gradient::kNo, 0.f);
  }
  append_loss_sum(program, parts, micro);
}

void append_loss_with_gradients(Program& program, const TrainingParts& parts,
                                const MicroStep& micro) {
  const auto scale = static_cast<float>(1. / double(micro.tokens_per_step));
  for (const Chunk& chunk : chunks_of(parts)) {
    append_logits(program, parts, chunk);
    append_cross_entropy(program, parts, chunk, Gradient::kYes, scale);
    append_dlnf(program, parts, chunk);
    append_dwte(program, parts, chunk, micro);
  }
  append_loss_sum(program, parts, micro);
}

}  // namespace weft
