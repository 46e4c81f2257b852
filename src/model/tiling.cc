#include "model/tiling.h"

#include <algorithm>

#include "base/math.h"

namespace weft {
namespace {

// One or two milliseconds of one core: long against the microsecond that scheduling an op costs,
// and enough for the panels of weights that an op packs, short against the step.
constexpr double kFlopsPerOp = 400e6;
// But a product is cut into this many blocks of columns at least, and an op packs this many floats
// at most, which stay in the second cache level.
constexpr int64_t kColumnBlocks = 8;
constexpr int64_t kPackedFloats = int64_t{256} << 10;

// An op of dW packs its block of dy and all of x, so it is given more work to spread that over.
constexpr double kFlopsPerWeightOp = 2.5e9;
constexpr int64_t kWeightRows = 384;     // at most
constexpr int64_t kWeightColumns = 768;  // at most

// Output channels come in multiples of one packed panel of the matrix kernels.
constexpr int64_t kColumnUnit = 64;

// A block of weights is read and packed once per row tile. All ops but matrix products are cut
// finer, to have an op for every core.
constexpr int64_t kRowTile = 1024;
constexpr int64_t kNormRows = 64;
constexpr int64_t kPositionTile = 128;

// The logits of this many rows exist at a time: 206 MB for GPT-2's vocabulary.
constexpr int64_t kClassifierRows = 1024;
constexpr double kFlopsPerClassifierOp = 600e6;
constexpr double kFlopsPerAttentionOp = 4e6;

int64_t units_for(double flops, double flops_per_column, int64_t unit, int64_t limit) {
  const auto columns = static_cast<int64_t>(flops / flops_per_column);
  return std::clamp(round_up(columns, unit), unit, std::max(limit, unit));
}

// The largest divisor of NH that is not above `wanted`: groups of heads then cut C evenly.
int64_t divisor_at_most(int64_t NH, int64_t wanted) {
  for (int64_t heads = std::min(NH, wanted); heads > 1; --heads) {
    if (NH % heads == 0) return heads;
  }
  return 1;
}

}  // namespace

int64_t Tiling::columns(int64_t N, int64_t K) const {
  const int64_t widest = std::min(ceil_div(N, kColumnBlocks), kPackedFloats / K);
  return units_for(kFlopsPerOp, 2. * double(rows) * double(K), kColumnUnit,
                   round_up(std::max<int64_t>(widest, 1), kColumnUnit));
}

int64_t Tiling::weight_rows(int64_t N, int64_t K) const {
  const double flops_per_row = 2. * double(n()) * double(weight_columns(K));
  return units_for(kFlopsPerWeightOp, flops_per_row, kColumnUnit, std::min(N, kWeightRows));
}

int64_t Tiling::weight_columns(int64_t K) const {
  return round_up(ceil_div(K, ceil_div(K, kWeightColumns)), kColumnUnit);
}

int64_t Tiling::parameter_rows(const Parameter& p) const {
  switch (info(p.tensor).role) {
    case Role::kTokenRows:
      return vocabulary_columns;
    case Role::kPositionRows:
      return kPositionTile;
    case Role::kLinearWeight:
      return weight_rows(p.rows, p.inputs);
    default:
      return 1;
  }
}

int64_t Tiling::parameter_columns(const Parameter& p) const {
  switch (info(p.tensor).role) {
    case Role::kLinearWeight:
      return weight_columns(p.inputs);
    case Role::kLinearBias:
      // As the rows of its weight are cut: one op computes both gradients.
      return weight_rows(p.cols, p.inputs);
    default:
      return p.cols;
  }
}

// docs/tasks.md#granularity
Tiling choose_tiling(const Config& config, int64_t B, int64_t T, Precision precision) {
  Tiling tiling;
  tiling.precision = precision;
  tiling.B = B;
  tiling.T = T;
  tiling.rows = std::min(kRowTile, B * T);
  tiling.norm_rows = std::min(kNormRows, B * T);
  tiling.classifier_rows = std::min(kClassifierRows, B * T);
  // At least eight blocks, so that a small vocabulary still spreads over threads.
  const int64_t widest = std::clamp(round_up(ceil_div(config.Vp(), 8), kVocabularyPadding),
                                    kVocabularyPadding, 3 * kVocabularyPadding);
  tiling.vocabulary_columns =
      units_for(kFlopsPerClassifierOp, 2. * double(tiling.classifier_rows) * double(config.C),
                kVocabularyPadding, widest);
  tiling.classifier_columns = std::min(config.C, 6 * kColumnUnit);
  // Forward plus masked half: 2 T^2 HS FLOPs per head.
  const double flops_per_head = 2. * double(T) * double(T) * double(config.HS());
  tiling.heads = divisor_at_most(
      config.NH, std::max<int64_t>(1, static_cast<int64_t>(kFlopsPerAttentionOp / flops_per_head)));
  return tiling;
}

}  // namespace weft
