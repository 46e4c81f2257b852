#include "kernels/cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#define HWY_TARGET_INCLUDE "kernels/cross_entropy.cc"
#include "kernels/simd-inl.h"
// Below simd-inl.h, which it needs.
#include "kernels/bfloat16-inl.h"

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

// Columns between a prefetch and its use: the arithmetic in between is too long for the processor
// to look past it, and its own prefetching does not look far enough.
constexpr int64_t kAhead = 1024;

constexpr int64_t kGroup = 32;  // lanes that are worked on side by side, to hide latencies

// The largest element of a row, or NaN if one of them is not finite: x * 0 is then NaN, and so is
// all that is computed from the maximum.
class RowMax {
 public:
  HWY_INLINE RowMax() {
    for (FloatVector& max : max_) max = Set(Floats(), kLowest);
    for (FloatVector& poison : poison_) poison = Zero(Floats());
  }

  // Vector k of a group, at x.
  template <class IO>
  HWY_INLINE void add(IO io, const float* x, int64_t k) {
    const FloatVector logit = io.load(x);
    max_[k] = Max(max_[k], io.valid_or(logit, Set(Floats(), kLowest)));
    poison_[k] = MulAdd(logit, Zero(Floats()), poison_[k]);
  }

  HWY_INLINE float total() const {
    const Floats d;
    FloatVector max = max_[0], poison = poison_[0];
    for (int64_t k = 1; k < kVectors; ++k) {
      max = Max(max, max_[k]);
      poison = Add(poison, poison_[k]);
    }
    return GetLane(MaxOfLanes(d, max)) + GetLane(SumOfLanes(d, poison));
  }

 private:
  static constexpr float kLowest = std::numeric_limits<float>::lowest();
  static constexpr int64_t kVectors = kGroup / kLanesOf<Floats>;

  FloatVector max_[kVectors], poison_[kVectors];
};

HWY_INLINE float row_max(const ColumnBlocks& logits, int64_t r, int64_t V) {
  RowMax max;
  for_each_piece(logits, r, 0, V, [&](const float* x, int64_t n, int64_t) HWY_ATTR {
    for_each_vector_in_groups<kGroup>(
        Floats(), n, [&](auto io, int64_t c, int64_t k) HWY_ATTR { max.add(io, x + c, k); });
  });
  return max.total();
}

// Sums of exponentials that are less than 1: in float within a chunk of columns, where each lane
// rounds 7 times, and in double over the chunks.
constexpr int64_t kChunk = 8 * kGroup;
using ChunkSums = LaneSums<Floats, kGroup>;
using ExpSums = LaneSums<Doubles, kGroup>;

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
  for (int64_t k = 0; k < kGroup / kLanesOf<Floats>; ++k) {
    add_promoted(Floats(), sums, k, chunk.vector(k));
  }
}

// sum over c < V of exp(logits(r, c) - max). Apart, because a small loss is log(1 + rest).
struct SoftmaxSum {
  double maxima;  // logits that equal max: 1 each
  double rest;

  double total() const { return maxima + rest; }
};

// The sums of row r, rest within 2^-21 of itself. With kKeep the exponentials replace the logits.
// On the way next_max takes in row next_r, which comes from memory while this row's exponentials
// are computed: one after the other, the two would take longer.
template <bool kKeep>
HWY_INLINE SoftmaxSum sum_of_exps(const ColumnBlocks& logits, int64_t r, int64_t V, float max,
                                  int64_t next_r, RowMax& next_max) {
  const Floats d;
  const FloatVector max_v = Set(d, max), zero = Zero(d), one = Set(d, 1.f);
  FloatVector maxima = zero;
  ExpSums rest;
  for_each_piece(logits, r, 0, V, [&](float* piece, int64_t n, int64_t first) HWY_ATTR {
    const float* next_piece = &element(logits, next_r, first);
    for (int64_t begin = 0; begin < n; begin += kChunk) {
      float* x = piece + begin;
      const float* next = next_piece + begin;
      ChunkSums chunk;
      const auto add = [&](auto io, int64_t c, int64_t k) HWY_ATTR {
        hwy::Prefetch(next + c + kAhead);
        next_max.add(io, next + c, k);
        const FloatVector logit = io.load(x + c);
        const FloatVector e = exp(d, Sub(logit, max_v));
        if constexpr (kKeep) io.store(e, x + c);
        const auto is_max = Eq(logit, max_v);
        maxima = Add(maxima, io.valid_or(IfThenElseZero(is_max, one), zero));
        chunk.add(k, io.valid_or(IfThenZeroElse(is_max, e), zero));
      };
      for_each_vector_in_groups<kGroup>(d, std::min(kChunk, n - begin), add);
      add_chunk(rest, chunk);
    }
  });
  return {GetLane(SumOfLanes(d, maxima)), rest.total()};
}

// loss = log(sum exp(x - max)) + (max - x[target]): neither term is negative, nothing cancels.
HWY_INLINE float loss_of(const SoftmaxSum& sum, double max, double target_logit) {
  return static_cast<float>(std::log1p(sum.maxima - 1 + sum.rest) + (max - target_logit));
}

// The place of the gradient of element (r, c): over its logit, or bf16 into the first half of the
// memory of the logits of its row and block.
HWY_INLINE float* gradient_at(const ColumnBlocks& logits, int64_t r, int64_t c, float) {
  return &element(logits, r, c);
}
HWY_INLINE BFloat16* gradient_at(const ColumnBlocks& logits, int64_t r, int64_t c, BFloat16) {
  return &bf16_in_place(logits.block(c / logits.block_cols)).at(r, c % logits.block_cols);
}

// Exponentials become gradients: scale * (e / sum - onehot(target)). From left to right, so that
// bf16 gradients overwrite no exponential before it has been read.
template <typename T>
HWY_INLINE void exps_to_gradients(const ColumnBlocks& exps, int64_t r, int64_t V, int32_t target,
                                  double scale, double sum) {
  const Floats d;
  const float target_exp = element(exps, r, target);
  const FloatVector factor = Set(d, static_cast<float>(scale / sum));
  for_each_piece(exps, r, 0, V, [&](float* e, int64_t n, int64_t first) HWY_ATTR {
    T* gradients = gradient_at(exps, r, first, T());
    for_each_vector(d, n, [&](auto io, int64_t c) HWY_ATTR {
      store(io, Mul(factor, io.load(e + c)), gradients + c);
    });
  });
  const auto at_target = static_cast<float>(scale * (target_exp / sum - 1));
  store(PartialVector<Floats>{1}, Set(d, at_target), gradient_at(exps, r, target, T()));
  for_each_piece(exps, r, V, exps.cols, [&](float*, int64_t n, int64_t first) HWY_ATTR {
    std::fill_n(gradient_at(exps, r, first, T()), n, T());
  });
}

// Calls body(r, sum, max) for rows [row, end), left with their exponentials if kKeep.
template <bool kKeep, class Body>
HWY_INLINE void for_each_softmax(const ColumnBlocks& logits, int64_t row, int64_t end, int64_t V,
                                 Body body) {
  if (row >= end) return;
  float max = row_max(logits, row, V);
  for (int64_t r = row; r < end; ++r) {
    RowMax next_max;
    const SoftmaxSum sum =
        sum_of_exps<kKeep>(logits, r, V, max, std::min(r + 1, end - 1), next_max);
    body(r, sum, max);
    max = next_max.total();
  }
}

void cross_entropy_forward(ColumnBlocks logits, int64_t row, int64_t V,
                           Vector<const int32_t> targets, Vector<float> losses) {
  const int64_t end = row + static_cast<int64_t>(losses.size());
  for_each_softmax<false>(
      logits, row, end, V, [&](int64_t r, const SoftmaxSum& sum, float max) HWY_ATTR {
        losses[r - row] = loss_of(sum, max, element(logits, r, targets[r - row]));
      });
}

template <typename T>
HWY_INLINE void losses_and_gradients(ColumnBlocks logits, int64_t row, int64_t V,
                                     Vector<const int32_t> targets, float scale,
                                     Vector<float> losses) {
  const int64_t end = row + static_cast<int64_t>(losses.size());
  // The logits of the targets, until their exponentials take their place.
  for (int64_t r = row; r < end; ++r) losses[r - row] = element(logits, r, targets[r - row]);
  for_each_softmax<true>(logits, row, end, V,
                         [&](int64_t r, const SoftmaxSum& sum, float max) HWY_ATTR {
                           losses[r - row] = loss_of(sum, max, losses[r - row]);
                           exps_to_gradients<T>(logits, r, V, targets[r - row], scale, sum.total());
                         });
}

void cross_entropy_forward_backward(ColumnBlocks logits, int64_t row, int64_t V,
                                    Vector<const int32_t> targets, float scale,
                                    Vector<float> losses) {
  losses_and_gradients<float>(logits, row, V, targets, scale, losses);
}

void cross_entropy_forward_backward_bf16(ColumnBlocks logits, int64_t row, int64_t V,
                                         Vector<const int32_t> targets, float scale,
                                         Vector<float> losses) {
  losses_and_gradients<BFloat16>(logits, row, V, targets, scale, losses);
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

HWY_EXPORT(cross_entropy_forward_backward_bf16);
void cross_entropy_forward_backward_bf16(ColumnBlocks logits, int64_t row, int64_t V,
                                         Vector<const int32_t> targets, float scale,
                                         Vector<float> losses) noexcept {
  HWY_DYNAMIC_DISPATCH(cross_entropy_forward_backward_bf16)(logits, row, V, targets, scale, losses);
}

}  // namespace weft
#endif
