#include "kernels/attention_tiles.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/math.h"

#define HWY_TARGET_INCLUDE "kernels/attention_tiles.cc"
#include "kernels/simd-inl.h"
// Below simd-inl.h, which it needs.
#include "kernels/bfloat16-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

using FloatVector = hn::Vec<Floats>;
constexpr int64_t kLanes = kLanesOf<Floats>;
static_assert(kStep % kLanes == 0, "columns are a multiple of a step, so there is no tail");

constexpr float kLog2e = 1.44269504f;

// 2^x for x <= 0, within 1.1 ulp; 0 where the result would be denormal; NaN for NaN. Shorter than
// exp: with x = q + r, |r| <= 1/2, both parts are exact. Adding 1.5 * 2^23 rounds x to q, and the
// exponent's bias on top of it leaves the bits of 2^q at the low end.
HWY_INLINE FloatVector exp2(FloatVector x) {
  const Floats d;
  const hn::RebindToSigned<Floats> ints;
  const FloatVector kRound = Set(d, 12582912.f + 127.f);
  const FloatVector shifted = Add(x, kRound);
  const FloatVector r = Sub(x, Sub(shifted, kRound));

  FloatVector p = MulAdd(Set(d, 1.5353362e-4f), r, Set(d, 1.33988750e-3f));
  p = MulAdd(p, r, Set(d, 9.61843692e-3f));
  p = MulAdd(p, r, Set(d, 5.55033237e-2f));
  p = MulAdd(p, r, Set(d, 0.240226477f));
  p = MulAdd(p, r, Set(d, 0.693147182f));
  p = MulAdd(p, r, Set(d, 1.f));

  const FloatVector power = BitCast(d, hn::ShiftLeft<23>(BitCast(ints, shifted)));
  return IfThenZeroElse(Lt(x, Set(d, -126.f)), Mul(p, power));
}

// The square in which the step that begins at token t meets the diagonal: -inf for every key after
// its query, which makes the probability 0.
HWY_INLINE void hide_later_keys(int64_t t, Matrix<float> scores) {
  constexpr float kHidden = -std::numeric_limits<float>::infinity();
  for (int64_t s = 1; s < kStep; ++s) std::fill_n(&scores.at(t + s, t), s, kHidden);
}

// One vector of queries: the largest of their scores. Several chains of maxima, because one would
// take its latency at every key.
HWY_INLINE FloatVector max_of_keys(Matrix<const float> scores, int64_t c) {
  const Floats d;
  constexpr int64_t kChains = 4;
  FloatVector max[kChains];
  for (int64_t k = 0; k < kChains; ++k) max[k] = Load(d, &scores.at(k, c));
  for (int64_t s = kChains; s < scores.rows; s += kChains) {
    for (int64_t k = 0; k < kChains; ++k) max[k] = Max(max[k], Load(d, &scores.at(s + k, c)));
  }
  return Max(Max(max[0], max[1]), Max(max[2], max[3]));
}

// One vector of queries: their scores become exp(scale * (score - reference)). Returns the sum over
// keys.
HWY_INLINE FloatVector exponentials(float scale, FloatVector reference, Matrix<float> scores,
                                    int64_t c) {
  const Floats d;
  const FloatVector factor = Set(d, scale * kLog2e);
  FloatVector sum = Zero(d);
  for (int64_t s = 0; s < scores.rows; ++s) {
    // Subtract before scaling: a score that is the reference then gives 2^0, whatever its size.
    const FloatVector p = exp2(Mul(factor, Sub(Load(d, &scores.at(s, c)), reference)));
    Store(p, d, &scores.at(s, c));
    sum = Add(sum, p);
  }
  return sum;
}

bool softmax_tile(float scale, Matrix<float> scores, RunningSoftmax state) {
  const Floats d;
  const FloatVector factor = Set(d, scale * kLog2e);
  const FloatVector slack = Set(d, RunningSoftmax::kSlack);
  bool any_moved = false;
  for (int64_t c = 0; c < scores.cols; c += kLanes) {
    const FloatVector old = Load(d, &state.reference[c]);
    const FloatVector max = max_of_keys(scores, c);
    const auto moved = Gt(Mul(factor, Sub(max, old)), slack);
    const FloatVector reference = IfThenElse(moved, max, old);
    const FloatVector rescale = exp2(Mul(factor, Sub(old, reference)));
    const FloatVector sum = exponentials(scale, reference, scores, c);
    Store(reference, d, &state.reference[c]);
    Store(MulAdd(rescale, Load(d, &state.sum[c]), sum), d, &state.sum[c]);
    Store(rescale, d, &state.rescale[c]);
    any_moved |= !AllFalse(d, moved);
  }
  return any_moved;
}

void softmax_diagonal(float scale, Matrix<float> scores, RunningSoftmax state) {
  const Floats d;
  for (int64_t t = 0; t < scores.cols; t += kStep) {
    hide_later_keys(t, scores);
    const Matrix<float> visible = scores.row_block(0, t + kStep);
    for (int64_t c = t; c < t + kStep; c += kLanes) {
      const FloatVector reference = max_of_keys(visible, c);
      Store(reference, d, &state.reference[c]);
      Store(exponentials(scale, reference, visible, c), d, &state.sum[c]);
    }
  }
}

// Columns from `first` on.
HWY_INLINE void probabilities_and_gradients(float scale, int64_t first, Vector<const float> lse,
                                            Vector<const float> D, Matrix<float> scores,
                                            Matrix<float> dP) {
  const Floats d;
  const FloatVector factor = Set(d, scale);
  for (int64_t c = first; c < scores.cols; c += kLanes) {
    const FloatVector log_sum = Load(d, &lse[c]);
    const FloatVector mean = Load(d, &D[c]);
    for (int64_t s = 0; s < scores.rows; ++s) {
      // A probability is at most 1, but huge scores round above their lse: 2^x may then overflow.
      // And it is the difference that becomes a power of 2, so that the largest of them give 2^0.
      const FloatVector log_p = MulSub(factor, Load(d, &scores.at(s, c)), log_sum);
      const FloatVector p = exp2(Mul(Set(d, kLog2e), Min(Zero(d), log_p)));
      Store(p, d, &scores.at(s, c));
      Store(Mul(p, Sub(Load(d, &dP.at(s, c)), mean)), d, &dP.at(s, c));
    }
  }
}

void softmax_backward_tile(float scale, Vector<const float> lse, Vector<const float> D,
                           Matrix<float> scores, Matrix<float> dP) {
  probabilities_and_gradients(scale, 0, lse, D, scores, dP);
}

void softmax_backward_diagonal(float scale, Vector<const float> lse, Vector<const float> D,
                               Matrix<float> scores, Matrix<float> dP) {
  for (int64_t t = 0; t < scores.cols; t += kStep) {
    hide_later_keys(t, scores);
    probabilities_and_gradients(scale, t, lse, D, scores.row_block(t, kStep),
                                dP.row_block(t, kStep));
  }
}

HWY_INLINE void scale_row(float factor, const float* x, int64_t n, float* y) {
  const Floats d;
  for_each_vector(d, n, [&](auto io, int64_t i) HWY_ATTR {
    io.store(Mul(Set(d, factor), io.load(x + i)), y + i);
  });
}

void scale(float factor, Matrix<const float> x, Matrix<float> y) {
  for (int64_t r = 0; r < x.rows; ++r) scale_row(factor, &x.at(r, 0), x.cols, &y.at(r, 0));
}

void scale_rows(Vector<const float> factors, Matrix<const float> x, Matrix<float> y) {
  for (int64_t r = 0; r < x.rows; ++r) scale_row(factors[r], &x.at(r, 0), x.cols, &y.at(r, 0));
}

void scale_columns(Vector<const float> factors, Matrix<const float> x, Matrix<float> y) {
  for (int64_t r = 0; r < x.rows; ++r) {
    const float* in = x.row(r).data();
    float* out = y.row(r).data();
    for_each_vector(Floats(), x.cols, [&](auto io, int64_t c) HWY_ATTR {
      io.store(Mul(io.load(&factors[c]), io.load(in + c)), out + c);
    });
  }
}

template <typename T>
HWY_INLINE void dots_of_rows(Matrix<const T> a, Matrix<const T> b, Vector<float> dots) {
  for (int64_t r = 0; r < a.rows; ++r) {
    const T* x = a.row(r).data();
    const T* y = b.row(r).data();
    LaneSums<Floats, kStep> sums;
    for_each_vector_in_groups<kStep>(Floats(), a.cols,
                                     [&](auto io, int64_t i, int64_t k) HWY_ATTR {
                                       sums.add(k, Mul(load(io, x + i), load(io, y + i)));
                                     });
    dots[r] = sums.total();
  }
}

void row_dots(Matrix<const float> a, Matrix<const float> b, Vector<float> dots) {
  dots_of_rows(a, b, dots);
}

void row_dots_bf16(Matrix<const BFloat16> a, Matrix<const BFloat16> b, Vector<float> dots) {
  dots_of_rows(a, b, dots);
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft {

HWY_EXPORT(softmax_tile);
HWY_EXPORT(softmax_diagonal);
HWY_EXPORT(softmax_backward_tile);
HWY_EXPORT(softmax_backward_diagonal);
HWY_EXPORT(scale);
HWY_EXPORT(scale_rows);
HWY_EXPORT(scale_columns);
HWY_EXPORT(row_dots);
HWY_EXPORT(row_dots_bf16);

bool softmax_tile(float scale, Matrix<float> scores, RunningSoftmax state) noexcept {
  return HWY_DYNAMIC_DISPATCH(softmax_tile)(scale, scores, state);
}

void softmax_diagonal(float scale, Matrix<float> scores, RunningSoftmax state) noexcept {
  HWY_DYNAMIC_DISPATCH(softmax_diagonal)(scale, scores, state);
}

void finish_softmax(float scale, RunningSoftmax state, Vector<float> lse) noexcept {
  for (size_t c = 0; c < lse.size(); ++c) {
    lse[c] = scale * state.reference[c] + std::log(state.sum[c]);
    state.sum[c] = 1.f / state.sum[c];
  }
}

void softmax_backward_tile(float scale, Vector<const float> lse, Vector<const float> D,
                           Matrix<float> scores, Matrix<float> dP) noexcept {
  HWY_DYNAMIC_DISPATCH(softmax_backward_tile)(scale, lse, D, scores, dP);
}

void softmax_backward_diagonal(float scale, Vector<const float> lse, Vector<const float> D,
                               Matrix<float> scores, Matrix<float> dP) noexcept {
  HWY_DYNAMIC_DISPATCH(softmax_backward_diagonal)(scale, lse, D, scores, dP);
}

void scale(float factor, Matrix<const float> x, Matrix<float> y) noexcept {
  HWY_DYNAMIC_DISPATCH(scale)(factor, x, y);
}

void scale_rows(Vector<const float> factors, Matrix<const float> x, Matrix<float> y) noexcept {
  HWY_DYNAMIC_DISPATCH(scale_rows)(factors, x, y);
}

void row_dots(Matrix<const float> a, Matrix<const float> b, Vector<float> dots) noexcept {
  HWY_DYNAMIC_DISPATCH(row_dots)(a, b, dots);
}

void row_dots(Matrix<const BFloat16> a, Matrix<const BFloat16> b, Vector<float> dots) noexcept {
  HWY_DYNAMIC_DISPATCH(row_dots_bf16)(a, b, dots);
}

void scale_columns(Vector<const float> factors, Matrix<const float> x, Matrix<float> y) noexcept {
  HWY_DYNAMIC_DISPATCH(scale_columns)(factors, x, y);
}

int64_t attention_tile(int64_t T, int64_t HS) {
  constexpr int64_t kMaxTile = 64;  // tokens; docs/decisions/attention.md compares
  require(T > 0 && HS > 0, "attention needs tokens and channels");
  return round_up(ceil_div(T, ceil_div(T, kMaxTile)), kStep);
}

}  // namespace weft
#endif
