// Attention of a few new queries over a cache: a stream of keys, a softmax, a stream of values.
// Bound by memory: reads 8 HS bytes for 4 HS FLOPs per query and key.
#include <algorithm>
#include <cmath>

#include "kernels/attention.h"

#define HWY_TARGET_INCLUDE "kernels/attention_cached.cc"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

using FloatVector = hn::Vec<Floats>;

HWY_INLINE float dot(Vector<const float> a, Vector<const float> b) {
  const Floats d;
  FloatVector sum = Zero(d);
  for_each_vector(d, static_cast<int64_t>(a.size()), [&](auto io, int64_t i) HWY_ATTR {
    sum = MulAdd(io.load(&a[i]), io.load(&b[i]), sum);
  });
  return sum_of_halves(d, sum);
}

// y += alpha x.
HWY_INLINE void add_scaled(float alpha, Vector<const float> x, Vector<float> y) {
  const Floats d;
  const FloatVector factor = Set(d, alpha);
  for_each_vector(d, static_cast<int64_t>(x.size()), [&](auto io, int64_t i) HWY_ATTR {
    io.store(MulAdd(factor, io.load(&x[i]), io.load(&y[i])), &y[i]);
  });
}

// x becomes exp(scale * (x - max x)); returns its sum.
HWY_INLINE float exponentiate(float scale, Vector<float> x) {
  const Floats d;
  const FloatVector max = Set(d, *std::max_element(x.begin(), x.end()));
  const FloatVector factor = Set(d, scale);
  FloatVector sum = Zero(d);
  for_each_vector(d, static_cast<int64_t>(x.size()), [&](auto io, int64_t i) HWY_ATTR {
    const FloatVector p = exp(d, Mul(factor, Sub(io.load(&x[i]), max)));
    sum = Add(sum, io.valid_or(p, Zero(d)));
    io.store(p, &x[i]);
  });
  return sum_of_halves(d, sum);
}

// One query against the keys that it sees, as many as there are scores.
void attend_to_cache(Vector<const float> q, Matrix<const float> k, Matrix<const float> v,
                     Vector<float> out, Vector<float> scores) {
  const int64_t keys = static_cast<int64_t>(scores.size());
  const float scale = 1.f / std::sqrt(static_cast<float>(q.size()));
  for (int64_t s = 0; s < keys; ++s) scores[s] = dot(q, k.row(s));
  const float norm = 1.f / exponentiate(scale, scores);

  std::fill(out.begin(), out.end(), 0.f);
  for (int64_t s = 0; s < keys; ++s) add_scaled(norm * scores[s], v.row(s), out);
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft {

HWY_EXPORT(attend_to_cache);

void attention_cached(Matrix<const float> q, Matrix<const float> k, Matrix<const float> v,
                      int64_t p0, Matrix<float> out, Vector<float> scores) noexcept {
  for (int64_t i = 0; i < q.rows; ++i) {
    const size_t keys = static_cast<size_t>(p0 + i + 1);
    HWY_DYNAMIC_DISPATCH(attend_to_cache)(q.row(i), k, v, out.row(i), scores.first(keys));
  }
}

}  // namespace weft
#endif
