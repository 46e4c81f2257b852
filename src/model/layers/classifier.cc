#include "model/layers/classifier.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/cross_entropy.h"
#include "kernels/elementwise.h"
#include "kernels/kernel_costs.h"
#include "kernels/linear.h"
#include "kernels/transpose.h"
#include "model/layers/kernel_cache.h"

namespace weft {
namespace {

// The gradient of the classifier's input sums over the vocabulary in this many groups, side by
// side, added pairwise in a fixed tree. It follows from the design, not from the thread count.
constexpr int64_t kVocabularyGroups = 16;

// The operands that all ops of the classifier share.
struct LossOps {
  Program& program;
  const LayerParts& parts;
  const Operand& x;
  const ClassifierActivations& a;
};

// A chunk's rows among all token rows, and the same rows inside the logits buffer.
struct Chunk {
  int64_t index;
  Range rows;

  Range local() const { return {0, rows.size()}; }
  OpName op_name(const char* kind, std::string tile) const {
    return {.kind = kind, .index = index, .tile = std::move(tile)};
  }
};

std::vector<Chunk> chunks_of(const LayerParts& parts) {
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
Range vocabulary_range(const LayerParts& parts, size_t j) {
  const int64_t begin = static_cast<int64_t>(j) * parts.tiling.vocabulary_columns;
  return {begin, std::min(begin + parts.tiling.vocabulary_columns, parts.config.Vp())};
}

// logits[:, block j] = x wte[block j]^T
// docs/model.md#classifier
void append_logits(const LossOps& ops, const Chunk& chunk) {
  const Tiled<float>& wte = ops.parts.weights.get(Tensor::wte);
  ops.x.visit([&](const auto& x) {
    using T = ElementOf<decltype(x)>;
    KernelCache<LinearForward<T>> kernels;
    for (size_t j = 0; j < ops.a.logits.size(); ++j) {
      const Range words = vocabulary_range(ops.parts, j);
      auto kernel = kernels.get(chunk.rows.size(), words.size(), [&] {
        return LinearForward<T>(chunk.rows.size(), words.size(), ops.parts.config.C,
                                x.matrix().stride, words.size(), ops.parts.backend);
      });
      ops.program.add(
          {.name = chunk.op_name("classifier/logits", fmt::format("v{}", j)),
           .phase = Phase::kForward,
           .reads = tiles_of({x.over(chunk.rows), wte.over(words)}),
           .writes = ops.a.logits[j].over(chunk.local()),
           .run = [kernel, x = x.block(chunk.rows), W = wte.block(words),
                   y = ops.a.logits[j].block(chunk.local())](
                      std::byte* scratch) { (*kernel)(x, W, y, scratch); },
           .scratch_bytes = kernel->scratch_bytes(),
           .flops = kernel_cost::linear_forward(double(chunk.rows.size()), double(words.size()),
                                                double(ops.parts.config.C))
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
void append_cross_entropy(const LossOps& ops, const Chunk& chunk, Gradient gradient, float scale) {
  for (const RowTile& tile : row_tiles_of(chunk, ops.parts.tiling.norm_rows)) {
    std::vector<TileId> logits;
    for (const Tiled<float>& block : ops.a.logits) {
      const std::vector<TileId> ids = block.over(tile.local);
      logits.insert(logits.end(), ids.begin(), ids.end());
    }
    const std::vector<TileId> losses = ops.a.losses.over(tile.rows);
    const bool with_gradient = gradient == Gradient::kYes;
    const auto backward = ops.parts.tiling.precision == Precision::kBf16
                              ? cross_entropy_forward_backward_bf16
                              : cross_entropy_forward_backward;
    ops.program.add(
        {.name = chunk.op_name("classifier/cross_entropy", fmt::format("r{}", tile.index)),
         .phase = Phase::kForward,
         .reads = tiles_of({ops.a.targets.over(tile.rows), logits}),
         .writes = with_gradient ? tiles_of({losses, logits}) : losses,
         .run = [with_gradient, backward, scale, tile, V = ops.parts.config.V,
                 logits = ops.a.logits_memory, targets = ops.a.targets.column(tile.rows),
                 losses = ops.a.losses.column(tile.rows)](std::byte*) {
           if (with_gradient) {
             backward(logits, tile.local.begin, V, targets, scale, losses);
           } else {
             cross_entropy_forward(logits, tile.local.begin, V, targets, losses);
           }
         }});
  }
}

// dwte[block j] (+)= dlogits[:, block j]^T x: the first gradient of wte in a step overwrites.
// docs/model.md#the-shared-embedding
void append_dwte(const LossOps& ops, const Chunk& chunk, const Tiled<float>& dwte, bool first) {
  const bool accumulate = chunk.index > 0 || !first;
  ops.x.visit([&](const auto& x) {
    using T = ElementOf<decltype(x)>;
    KernelCache<LinearBackwardWeight<T>> kernels;
    for (size_t j = 0; j < ops.a.logits.size(); ++j) {
      const Range words = vocabulary_range(ops.parts, j);
      auto kernel = kernels.get(chunk.rows.size(), words.size(), [&] {
        return LinearBackwardWeight<T>(chunk.rows.size(), words.size(), ops.parts.config.C,
                                       dwte.matrix().stride, accumulate, ops.parts.backend);
      });
      ops.program.add(
          {.name = chunk.op_name("classifier/dW", fmt::format("v{}", j)),
           .phase = Phase::kBackward,
           .reads = tiles_of({ops.a.logits[j].over(chunk.local()), x.over(chunk.rows)}),
           .writes = dwte.over(words),
           .run = [kernel, dy = dlogits_of(ops.a.logits[j].block(chunk.local()), T()),
                   x = x.block(chunk.rows), dW = dwte.block(words)](
                      std::byte* scratch) { (*kernel)(dy, x, dW, {}, scratch); },
           .scratch_bytes = kernel->scratch_bytes(),
           .flops = kernel_cost::linear_backward_weight(
                        double(chunk.rows.size()), double(words.size()), double(ops.parts.config.C))
                        .flops});
    }
  });
}

// partial[g] = sum over the blocks j of group g of dlogits[:, block j] wte[block j], for one tile
// of the partial: the sum stays in cache while the blocks pass.
// docs/model.md#classifier
template <typename T>
void append_dx_partial(const LossOps& ops, const ClassifierGradients& d, const Chunk& chunk,
                       const RowTile& tile, const Range& cols, int64_t g) {
  struct Step {
    LinearBackwardInput<T> kernel;
    Matrix<const T> dy;
    Matrix<const float> W;
  };
  const Tiled<float>& wte = ops.parts.weights.get(Tensor::wte);
  const Tiled<float>& partial = d.dx_partial[static_cast<size_t>(g)];
  const auto groups = static_cast<int64_t>(d.dx_partial.size());
  const auto blocks = static_cast<int64_t>(ops.a.logits.size());
  std::vector<Step> steps;
  std::vector<TileId> reads;
  int64_t words_of_group = 0;
  for (int64_t j = g * blocks / groups; j < (g + 1) * blocks / groups; ++j) {
    const Range words = vocabulary_range(ops.parts, static_cast<size_t>(j));
    const Tiled<float>& dlogits = ops.a.logits[static_cast<size_t>(j)];
    const Matrix<const T> dy = dlogits_of(dlogits.block(tile.local), T());
    steps.push_back(
        {LinearBackwardInput<T>(tile.rows.size(), words.size(), cols.size(), dy.stride,
                                partial.matrix().stride, !steps.empty(), ops.parts.backend),
         dy, wte.block(words, cols)});
    reads = tiles_of({reads, dlogits.over(tile.local), wte.over(words)});
    words_of_group += words.size();
  }
  const size_t scratch_bytes = steps.front().kernel.scratch_bytes();
  ops.program.add(
      {.name = chunk.op_name("classifier/dX",
                             fmt::format("r{},c{},g{}", tile.index,
                                         cols.begin / ops.parts.tiling.classifier_columns, g)),
       .phase = Phase::kBackward,
       .reads = reads,
       .writes = partial.over(tile.local, cols),
       .run =
           [steps, dx = partial.block(tile.local, cols)](std::byte* scratch) {
             for (const Step& s : steps) s.kernel(s.dy, s.W, dx, scratch);
           },
       .scratch_bytes = scratch_bytes,
       .flops = kernel_cost::linear_backward_input(double(tile.rows.size()), double(words_of_group),
                                                   double(cols.size()), true)
                    .flops});
}

// dx = ((p0 + p1) + (p2 + p3)) + ..., the partial sums added pairwise in place.
// docs/model.md#classifier
void append_dx_sum(const LossOps& ops, const ClassifierGradients& d, const Chunk& chunk,
                   const RowTile& tile, const Range& cols) {
  std::vector<Matrix<float>> terms;
  std::vector<TileId> writes = d.dx.over(tile.rows, cols);
  for (const Tiled<float>& partial : d.dx_partial) {
    terms.push_back(partial.block(tile.local, cols));
    writes = tiles_of({writes, partial.over(tile.local, cols)});
  }
  ops.program.add(
      {.name = chunk.op_name(
           "classifier/dX_sum",
           fmt::format("r{},c{}", tile.index, cols.begin / ops.parts.tiling.classifier_columns)),
       .phase = Phase::kBackward,
       .reads = {},
       .writes = writes,
       .run = [terms, dx = d.dx.block(tile.rows, cols)](std::byte*) {
         for (int64_t r = 0; r < dx.rows; ++r) {
           for (size_t gap = 1; gap < terms.size(); gap *= 2) {
             for (size_t i = 0; i + gap < terms.size(); i += 2 * gap) {
               add(terms[i + gap].row(r), terms[i].row(r));
             }
           }
         }
         copy(terms[0], dx);
       }});
}

// docs/model.md#classifier
void append_dx(const LossOps& ops, const ClassifierGradients& d, const Chunk& chunk) {
  const std::vector<Range> col_ranges = d.dx.col_ranges();
  const auto groups = static_cast<int64_t>(d.dx_partial.size());
  const bool is_bf16 = ops.parts.tiling.precision == Precision::kBf16;
  const auto append_partial = is_bf16 ? append_dx_partial<BFloat16> : append_dx_partial<float>;
  for (const RowTile& tile : row_tiles_of(chunk, ops.parts.tiling.rows)) {
    for (int64_t g = 0; g < groups; ++g) {
      for (const Range& cols : col_ranges) {
        append_partial(ops, d, chunk, tile, cols, g);
      }
    }
    for (const Range& cols : col_ranges) append_dx_sum(ops, d, chunk, tile, cols);
  }
}

// loss (+)= sum(losses) / tokens_per_step, added in row order in double.
// docs/model.md#cross-entropy
void append_loss_sum(const LossOps& ops, const MicroStep& micro) {
  ops.program.add({.name = {.kind = "loss/sum"},
                   .phase = Phase::kForward,
                   .reads = ops.a.losses.all(),
                   .writes = ops.a.loss.all(),
                   .run = [micro, losses = ops.a.losses.column({0, ops.parts.tiling.n()}),
                           loss = ops.a.loss.matrix().data](std::byte*) {
                     double sum = 0.;
                     for (float value : losses) sum += double(value);
                     const double mean = sum / double(micro.tokens_per_step);
                     *loss = micro.first ? mean : *loss + mean;
                   }});
}

}  // namespace

ClassifierActivations allocate_classifier(const StepMatrices& matrices, const Config& config) {
  const Tiling& tiling = matrices.tiling();
  ClassifierActivations a = {.targets = matrices.per_row<int32_t>("targets"),
                             .logits_memory = {},
                             .logits = {},
                             .losses = matrices.per_row<float>("losses"),
                             .loss = matrices.matrix<double>("loss", 1, 1, 1, 1)};
  a.logits_memory = {matrices.arena().vector<float>(tiling.classifier_rows * config.Vp()).data(),
                     tiling.classifier_rows, config.Vp(), tiling.vocabulary_columns};
  for (int64_t j = 0; j < a.logits_memory.blocks(); ++j) {
    const Matrix<float> block = a.logits_memory.block(j);
    a.logits.emplace_back(matrices.tiles(), fmt::format("logits{}", j), block, tiling.norm_rows,
                          block.cols);
  }
  return a;
}

ClassifierGradients allocate_classifier_gradients(const StepMatrices& matrices,
                                                  const Config& config) {
  const Tiling& tiling = matrices.tiling();
  const auto allocate = [&](const std::string& name, int64_t rows) {
    return matrices.matrix<float>(name, rows, config.C, tiling.rows, tiling.classifier_columns);
  };
  ClassifierGradients d;
  const int64_t blocks = ceil_div(config.Vp(), tiling.vocabulary_columns);
  for (int64_t g = 0; g < std::min(kVocabularyGroups, blocks); ++g) {
    d.dx_partial.push_back(allocate(fmt::format("dlnf_partial{}", g), tiling.classifier_rows));
  }
  d.dx = allocate("dlnf", tiling.n());
  return d;
}

// docs/model.md#classifier
void append_loss(Program& program, const LayerParts& parts, const Operand& x,
                 const ClassifierActivations& a, const MicroStep& micro) {
  const LossOps ops{program, parts, x, a};
  for (const Chunk& chunk : chunks_of(parts)) {
    append_logits(ops, chunk);
    append_cross_entropy(ops, chunk, Gradient::kNo, 0.f);
  }
  append_loss_sum(ops, micro);
}

// docs/model.md#classifier
void append_loss_with_gradients(Program& program, const LayerParts& parts, const Operand& x,
                                const ClassifierActivations& a, const ClassifierGradients& d,
                                const Tiled<float>& dwte, const MicroStep& micro) {
  const LossOps ops{program, parts, x, a};
  const auto scale = static_cast<float>(1. / double(micro.tokens_per_step));
  for (const Chunk& chunk : chunks_of(parts)) {
    append_logits(ops, chunk);
    append_cross_entropy(ops, chunk, Gradient::kYes, scale);
    append_dx(ops, d, chunk);
    append_dwte(ops, chunk, dwte, micro.first);
  }
  append_loss_sum(ops, micro);
}

}  // namespace weft
