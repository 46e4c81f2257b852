#include "kernels/cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#define HWY_TARGET_INCLUDE "kernels/cross_entropy.cc"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

using FloatVector = hn::Vec<Floats>;
using Doubles = hn::ScalableTag<double>;

HWY_INLINE float& element(const ColumnBlocks& logits, int64_t r, int64_t c) {
  return logits.block(c / logits.block_cols).at(r, c % logits.block_cols);
}

// Calls body(piece, n, begin) for each contiguous piece of columns [begin, end) of row r: n columns
// from `begin` on, left to right.
template <class Body>
HWY_INLINE void for_each_piece(const ColumnBlocks& logits, int64_t r, int64_t begin, int64_t end,
                               Body body) {
  while (begin < end) {
    const int64_t block_end = (begin / logits.block_cols + 1) * logits.block_cols;
    const int64_t n = std::min(end, block_end) - begin;
    body(&element(logits, r, begin), n, begin);
    begin += n;
  }
}

// The largest of logits(r, 0..V), or NaN if one of them is not finite: x * 0 is then NaN, and so
// is all that is computed from the maximum.
HWY_INLINE float row_max(const ColumnBlocks& logits, int64_t r, int64_t V) {
  constexpr int64_t kChains = 4;  // to hide the latency of a maximum; their order does not matter
  const Floats d;
  const FloatVector lowest = Set(d, std::numeric_limits<float>::lowest());
  FloatVector max[kChains], poison[kChains];
  std::fill_n(max, kChains, lowest);
  std::fill_n(poison, kChains, Zero(d));
  for_each_piece(logits, r, 0, V, [&](const float* x, int64_t n, int64_t) HWY_ATTR {
    constexpr int64_t kLanes = kChains * kLanesOf<Floats>;
    for_each_vector_in_groups<kLanes>(d, n, [&](auto io, int64_t c, int64_t k) HWY_ATTR {
      const FloatVector logit = io.load(x + c);
      max[k] = Max(max[k], io.valid_or(logit, lowest));
      poison[k] = MulAdd(logit, Zero(d), poison[k]);
    });
  });
  for (int64_t k = 1; k < kChains; ++k) {
    max[0] = Max(max[0], max[k]);
    poison[0] = Add(poison[0], poison[k]);
  }
  return GetLane(MaxOfLanes(d, max[0])) + GetLane(SumOfLanes(d, poison[0]));
}

// Sums of exponentials that are less than 1: those of a chunk of columns in float, where each lane
// rounds 7 times, and those of the chunks in double.
constexpr int64_t kSumLanes = 32, kChunk = 8 * kSumLanes;
using ChunkSums = LaneSums<Floats, kSumLanes>;
using ExpSums = LaneSums<Doubles, kSumLanes>;

// Adds vector k of a group to the double sums.
template <class D>
HWY_INLINE void add_promoted(D, ExpSums& sums, int64_t k, hn::Vec<D> v) {
  if constexpr (kLanesOf<D> == 1) {
    sums.add(k, PromoteTo(Doubles(), v));
  } else {
    const hn::Half<D> half;
    sums.add(2 * k, PromoteTo(Doubles(), LowerHalf(half, v)));
    sums.add(2 * k + 1, PromoteTo(Doubles(), UpperHalf(half, v)));
  }
}

HWY_INLINE void add_chunk(ExpSums& sums, const ChunkSums& chunk) {
  for (int64_t k = 0; k < kSumLanes / kLanesOf<Floats>; ++k) {
    add_promoted(Floats(), sums, k, chunk.vector(k));
  }
}

// sum over c < V of exp(logits(r, c) - max). Apart, because a small loss is log(1 + rest).
struct SoftmaxSum {
  double maxima;  // logits that equal max: 1 each
  double rest;

  double total() const { return maxima + rest; }
};

// With kKeep the exponentials replace the logits. rest is within 2^-21 of itself. The memory of row
// next_r is slow, and this arithmetic, too: the one is fetched during the other.
template <bool kKeep>
HWY_INLINE SoftmaxSum sum_of_exps(const ColumnBlocks& logits, int64_t r, int64_t V, float max,
                                  int64_t next_r) {
  const Floats d;
  const FloatVector max_v = Set(d, max), zero = Zero(d), one = Set(d, 1.f);
  FloatVector maxima = zero;
  ExpSums rest;
  for_each_piece(logits, r, 0, V, [&](float* piece, int64_t n, int64_t first) HWY_ATTR {
    const float* next_piece = &element(logits, next_r, first);
    for (int64_t begin = 0; begin < n; begin += kChunk) {
      float* x = piece + begin;
      ChunkSums chunk;
      const auto add = [&](auto io, int64_t c, int64_t k) HWY_ATTR {
        hwy::Prefetch(next_piece + begin + c);
        const FloatVector logit = io.load(x + c);
        const FloatVector e = exp(d, Sub(logit, max_v));
        if constexpr (kKeep) io.store(e, x + c);
        const auto is_max = Eq(logit, max_v);
        maxima = Add(maxima, io.valid_or(IfThenElseZero(is_max, one), zero));
        chunk.add(k, io.valid_or(IfThenZeroElse(is_max, e), zero));
      };
      for_each_vector_in_groups<kSumLanes>(d, std::min(kChunk, n - begin), add);
      add_chunk(rest, chunk);
    }
  });
  return {GetLane(SumOfLanes(d, maxima)), rest.total()};
}

// loss = log(sum exp(x - max)) + (max - x[target]): neither term is negative, nothing cancels.
HWY_INLINE float loss_of(const SoftmaxSum& sum, double max, double target_logit) {
  return static_cast<float>(std::log1p(sum.maxima - 1 + sum.rest) + (max - target_logit));
}

void cross_entropy_forward(ColumnBlocks logits, int64_t row, int64_t V,
                           Vector<const int32_t> targets, Vector<float> losses) {
  const int64_t end = row + static_cast<int64_t>(losses.size());
  for (int64_t r = row; r < end; ++r) {
    const float target_logit = element(logits, r, targets[r - row]);
    const float max = row_max(logits, r, V);
    const SoftmaxSum sum = sum_of_exps<false>(logits, r, V, max, std::min(r + 1, end - 1));
    losses[r - row] = loss_of(sum, max, target_logit);
  }
}

// Exponentials become gradients: scale * (e / sum - onehot(target)).
HWY_INLINE void exps_to_gradients(const ColumnBlocks& exps, int64_t r, int64_t V, int32_t target,
                                  double scale, double sum) {
  const Floats d;
  const float target_exp = element(exps, r, target);
  const FloatVector factor = Set(d, static_cast<float>(scale / sum));
  for_each_piece(exps, r, 0, V, [&](float* e, int64_t n, int64_t) HWY_ATTR {
    for_each_vector(
        d, n, [&](auto io, int64_t c) HWY_ATTR { io.store(Mul(factor, io.load(e + c)), e + c); });
  });
  element(exps, r, target) = static_cast<float>(scale * (target_exp / sum - 1));
  for_each_piece(exps, r, V, exps.cols,
                 [](float* e, int64_t n, int64_t) HWY_ATTR { std::fill_n(e, n, 0.f); });
}

void cross_entropy_forward_backward(ColumnBlocks logits, int64_t row, int64_t V,
                                    Vector<const int32_t> targets, float scale,
                                    Vector<float> losses) {
  const int64_t end = row + static_cast<int64_t>(losses.size());
  for (int64_t r = row; r < end; ++r) {
    const int32_t target = targets[r - row];
    const float target_logit = element(logits, r, target);
    const float max = row_max(logits, r, V);
    const SoftmaxSum sum = sum_of_exps<true>(logits, r, V, max, std::min(r + 1, end - 1));
    losses[r - row] = loss_of(sum, max, target_logit);
    exps_to_gradients(logits, r, V, target, scale, sum.total());
  }
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft {

HWY_EXPORT(cross_entropy_forward);
void cross_entropy_forward(ColumnBlocks logits, int64_t row, int64_t V,
                           Vector<const int32_t> targets, Vector<float> losses) noexcept {
  HWY_DYNAMIC_DISPATCH(cross_entropy_forward)(logits, row, V, targets, losses);
}

HWY_EXPORT(cross_entropy_forward_backward);
void cross_entropy_forward_backward(ColumnBlocks logits, int64_t row, int64_t V,
                                    Vector<const int32_t> targets, float scale,
                                    Vector<float> losses) noexcept {
  HWY_DYNAMIC_DISPATCH(cross_entropy_forward_backward)(logits, row, V, targets, scale, losses);
}

}  // namespace weft
#endif
