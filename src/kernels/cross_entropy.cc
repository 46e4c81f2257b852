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

// One AVX-512 vector of exponentials, as two vectors of double sums.
constexpr int64_t kSumLanes = 16;
using ExpSums = LaneSums<Doubles, kSumLanes>;

HWY_INLINE float& element(const ColumnBlocks& logits, int64_t r, int64_t c) {
  return logits.block(c / logits.block_cols).at(r, c % logits.block_cols);
}

// Calls body(piece, n) for each contiguous piece of columns [begin, end) of row r, left to right.
template <class Body>
HWY_INLINE void for_each_piece(const ColumnBlocks& logits, int64_t r, int64_t begin, int64_t end,
                               Body body) {
  while (begin < end) {
    const int64_t block_end = (begin / logits.block_cols + 1) * logits.block_cols;
    const int64_t n = std::min(end, block_end) - begin;
    body(&element(logits, r, begin), n);
    begin += n;
  }
}

// The largest of logits(r, 0..V), or NaN if one of them is not finite: x * 0 is then NaN, and so
// is all that is computed from the maximum.
HWY_INLINE float row_max(const ColumnBlocks& logits, int64_t r, int64_t V) {
  const Floats d;
  const FloatVector lowest = Set(d, std::numeric_limits<float>::lowest());
  FloatVector max = lowest, poison = Zero(d);
  for_each_piece(logits, r, 0, V, [&](const float* x, int64_t n) HWY_ATTR {
    for_each_vector(d, n, [&](auto io, int64_t c) HWY_ATTR {
      const FloatVector logit = io.load(x + c);
      max = Max(max, io.valid_or(logit, lowest));
      poison = MulAdd(logit, Zero(d), poison);
    });
  });
  return GetLane(MaxOfLanes(d, max)) + GetLane(SumOfLanes(d, poison));
}

// Adds vector k of a group to the double sums.
template <class D>
HWY_INLINE void add_promoted(D, ExpSums& sums, int64_t k, hn::Vec<D> v) {
  const Doubles doubles;
  if constexpr (kLanesOf<D> == 1) {
    sums.add(k, PromoteTo(doubles, v));
  } else {
    const hn::Half<D> half;
    sums.add(2 * k, PromoteTo(doubles, LowerHalf(half, v)));
    sums.add(2 * k + 1, PromoteTo(doubles, UpperHalf(half, v)));
  }
}

// Sum over c < V of exp(logits(r, c) - max), in double: a loss near 0 is log(1 + little). With
// kKeep the exponentials replace the logits.
template <bool kKeep>
HWY_INLINE double sum_of_exps(const ColumnBlocks& logits, int64_t r, int64_t V, float max) {
  const Floats d;
  const FloatVector max_v = Set(d, max);
  ExpSums sums;
  for_each_piece(logits, r, 0, V, [&](float* x, int64_t n) HWY_ATTR {
    for_each_vector_in_groups<kSumLanes>(d, n, [&](auto io, int64_t c, int64_t k) HWY_ATTR {
      const FloatVector e = exp(d, Sub(io.load(x + c), max_v));
      if constexpr (kKeep) io.store(e, x + c);
      add_promoted(d, sums, k, io.valid_or(e, Zero(d)));
    });
  });
  return sums.total();
}

// loss = log(sum exp(x - max)) + (max - x[target]): neither term is negative, nothing cancels.
HWY_INLINE float loss_of(double sum, double max, double target_logit) {
  return static_cast<float>(std::log(sum) + (max - target_logit));
}

void cross_entropy_forward(ColumnBlocks logits, int64_t row, int64_t V,
                           Vector<const int32_t> targets, Vector<float> losses) {
  for (size_t i = 0; i < losses.size(); ++i) {
    const int64_t r = row + static_cast<int64_t>(i);
    const float max = row_max(logits, r, V);
    losses[i] = loss_of(sum_of_exps<false>(logits, r, V, max), max, element(logits, r, targets[i]));
  }
}

// Exponentials become gradients: scale * (e / sum - onehot(target)).
HWY_INLINE void exps_to_gradients(const ColumnBlocks& exps, int64_t r, int64_t V, int32_t target,
                                  double scale, double sum) {
  const Floats d;
  const float target_exp = element(exps, r, target);
  const FloatVector factor = Set(d, static_cast<float>(scale / sum));
  for_each_piece(exps, r, 0, V, [&](float* e, int64_t n) HWY_ATTR {
    for_each_vector(
        d, n, [&](auto io, int64_t c) HWY_ATTR { io.store(Mul(factor, io.load(e + c)), e + c); });
  });
  element(exps, r, target) = static_cast<float>(scale * (target_exp / sum - 1));
  for_each_piece(exps, r, V, exps.cols,
                 [](float* e, int64_t n) HWY_ATTR { std::fill_n(e, n, 0.f); });
}

void cross_entropy_forward_backward(ColumnBlocks logits, int64_t row, int64_t V,
                                    Vector<const int32_t> targets, float scale,
                                    Vector<float> losses) {
  for (size_t i = 0; i < losses.size(); ++i) {
    const int64_t r = row + static_cast<int64_t>(i);
    const float target_logit = element(logits, r, targets[i]);
    const float max = row_max(logits, r, V);
    const double sum = sum_of_exps<true>(logits, r, V, max);
    losses[i] = loss_of(sum, max, target_logit);
    exps_to_gradients(logits, r, V, targets[i], scale, sum);
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
