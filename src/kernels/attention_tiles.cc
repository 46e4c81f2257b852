#include "kernels/attention_tiles.h"

#include <algorithm>
#include <cmath>
#include <limits>

#define HWY_TARGET_INCLUDE "kernels/attention_tiles.cc"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

using FloatVector = hn::Vec<Floats>;
constexpr int64_t kLanes = kLanesOf<Floats>;
static_assert(16 % kLanes == 0, "columns are a multiple of 16, so there is no tail");

// -inf for every key after its query: exp makes it 0.
void hide_later_keys(Matrix<float> scores) {
  constexpr float kHidden = -std::numeric_limits<float>::infinity();
  for (int64_t s = 0; s < scores.rows; ++s) std::fill_n(scores.row(s).data(), s, kHidden);
}

// One vector of queries, from column c on: the rows [0, visible) of their scores.
void softmax_columns(float scale, int64_t visible, int64_t c, Matrix<float> scores,
                     RunningSoftmax state) {
  const Floats d;
  const FloatVector factor = Set(d, scale);
  const FloatVector old_max = Load(d, &state.max[c]);
  FloatVector max = old_max;
  for (int64_t s = 0; s < visible; ++s) max = Max(max, Load(d, &scores.at(s, c)));

  const FloatVector rescale = exp(d, Mul(factor, Sub(old_max, max)));
  FloatVector sum = Mul(rescale, Load(d, &state.sum[c]));
  for (int64_t s = 0; s < visible; ++s) {
    // Subtract before scaling: the largest score then gives exp(0), whatever its size.
    const FloatVector p = exp(d, Mul(factor, Sub(Load(d, &scores.at(s, c)), max)));
    Store(p, d, &scores.at(s, c));
    sum = Add(sum, p);
  }
  Store(max, d, &state.max[c]);
  Store(sum, d, &state.sum[c]);
  Store(rescale, d, &state.rescale[c]);
}

void softmax_tile(float scale, bool diagonal, Matrix<float> scores, RunningSoftmax state) {
  const Floats d;
  if (diagonal) hide_later_keys(scores);
  for (int64_t c = 0; c < scores.cols; c += kLanes) {
    const int64_t visible = diagonal ? std::min(c + kLanes, scores.rows) : scores.rows;
    softmax_columns(scale, visible, c, scores, state);
    for (int64_t s = visible; s < scores.rows; ++s) Store(Zero(d), d, &scores.at(s, c));
  }
}

void softmax_backward_tile(float scale, bool diagonal, Vector<const float> lse,
                           Vector<const float> D, Matrix<float> scores, Matrix<float> dP) {
  const Floats d;
  const FloatVector factor = Set(d, scale);
  const FloatVector zero = Zero(d);
  if (diagonal) hide_later_keys(scores);
  for (int64_t s = 0; s < scores.rows; ++s) {
    const int64_t first = diagonal ? s / kLanes * kLanes : 0;  // no query before it sees key s
    std::fill_n(&scores.at(s, 0), first, 0.f);
    std::fill_n(&dP.at(s, 0), first, 0.f);
    for (int64_t c = first; c < scores.cols; c += kLanes) {
      // A probability is at most 1, but huge scores round above their lse: then exp may overflow.
      const FloatVector log_p = Sub(Mul(factor, Load(d, &scores.at(s, c))), Load(d, &lse[c]));
      const FloatVector p = exp(d, Min(zero, log_p));
      const FloatVector ds = Mul(p, Sub(Load(d, &dP.at(s, c)), Load(d, &D[c])));
      Store(p, d, &scores.at(s, c));
      Store(Mul(factor, ds), d, &dP.at(s, c));
    }
  }
}

void scale_columns(Vector<const float> factors, Matrix<float> x) {
  const Floats d;
  for (int64_t r = 0; r < x.rows; ++r) {
    for (int64_t c = 0; c < x.cols; c += kLanes) {
      Store(Mul(Load(d, &x.at(r, c)), Load(d, &factors[c])), d, &x.at(r, c));
    }
  }
}

void column_dots(Matrix<const float> a, Matrix<const float> b, Vector<float> dots) {
  const Floats d;
  for (int64_t c = 0; c < a.cols; c += kLanes) {
    FloatVector sum = Zero(d);
    for (int64_t r = 0; r < a.rows; ++r) {
      sum = MulAdd(Load(d, &a.at(r, c)), Load(d, &b.at(r, c)), sum);
    }
    Store(sum, d, &dots[c]);
  }
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft {

HWY_EXPORT(softmax_tile);
HWY_EXPORT(softmax_backward_tile);
HWY_EXPORT(scale_columns);
HWY_EXPORT(column_dots);

void start_softmax(RunningSoftmax state) noexcept {
  std::fill(state.max.begin(), state.max.end(), -std::numeric_limits<float>::infinity());
  std::fill(state.sum.begin(), state.sum.end(), 0.f);
}

void softmax_tile(float scale, bool diagonal, Matrix<float> scores, RunningSoftmax state) noexcept {
  HWY_DYNAMIC_DISPATCH(softmax_tile)(scale, diagonal, scores, state);
}

void finish_softmax(float scale, RunningSoftmax state, Vector<float> lse) noexcept {
  for (size_t c = 0; c < lse.size(); ++c) {
    lse[c] = scale * state.max[c] + std::log(state.sum[c]);
    state.sum[c] = 1.f / state.sum[c];
  }
}

void softmax_backward_tile(float scale, bool diagonal, Vector<const float> lse,
                           Vector<const float> D, Matrix<float> scores, Matrix<float> dP) noexcept {
  HWY_DYNAMIC_DISPATCH(softmax_backward_tile)(scale, diagonal, lse, D, scores, dP);
}

void scale_columns(Vector<const float> factors, Matrix<float> x) noexcept {
  HWY_DYNAMIC_DISPATCH(scale_columns)(factors, x);
}

void column_dots(Matrix<const float> a, Matrix<const float> b, Vector<float> dots) noexcept {
  HWY_DYNAMIC_DISPATCH(column_dots)(a, b, dots);
}

}  // namespace weft
#endif
