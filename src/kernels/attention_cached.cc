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

// The values of this many keys are added up in registers before they are added to the output.
constexpr int64_t kKeys = 8;
constexpr int64_t kSumLanes = 16;  // of a dot product: most heads have 64 channels

// a . b; on the way, the row that starts at `ahead` is fetched: rows lie too far apart for the
// processor to guess the next one.
HWY_INLINE float dot(Vector<const float> a, const float* b, const float* ahead) {
  LaneSums<Floats, kSumLanes> sums;
  const auto add = [&](auto io, int64_t i, int64_t k) HWY_ATTR {
    hwy::Prefetch(ahead + i);
    sums.add_product(k, io.load(&a[i]), io.load(b + i));
  };
  for_each_vector_in_groups<kSumLanes>(Floats(), static_cast<int64_t>(a.size()), add);
  return sums.total();
}

// out += weights[0] * row 0, then += weights[1] * row 1, and so on, of the kRows rows from r on.
template <int64_t kRows>
HWY_INLINE void add_weighted_rows(const float* weights, Matrix<const float> rows, int64_t r,
                                  Vector<float> out) {
  const Floats d;
  const float* first = rows.row(r).data();
  const float* ahead = rows.row(std::min(r + kRows, rows.rows - kRows)).data();
  for_each_vector(d, static_cast<int64_t>(out.size()), [&](auto io, int64_t i) HWY_ATTR {
    FloatVector sum = io.load(&out[i]);
    for (int64_t k = 0; k < kRows; ++k) {
      hwy::Prefetch(ahead + k * rows.stride + i);
      sum = MulAdd(Set(d, weights[k]), io.load(first + k * rows.stride + i), sum);
    }
    io.store(sum, &out[i]);
  });
}

HWY_INLINE float max_of(Vector<const float> x) {
  const Floats d;
  FloatVector max = Set(d, x[0]);
  for_each_vector(d, static_cast<int64_t>(x.size()), [&](auto io, int64_t i) HWY_ATTR {
    max = io.valid_or(Max(max, io.load(&x[i])), max);
  });
  return GetLane(MaxOfLanes(d, max));
}

// x becomes exp(scale * (x - max x)); returns its sum.
HWY_INLINE float exponentiate(float scale, Vector<float> x) {
  const Floats d;
  const FloatVector max = Set(d, max_of(x)), factor = Set(d, scale);
  LaneSums<Floats, kSumLanes> sums;
  const auto replace = [&](auto io, int64_t i, int64_t k) HWY_ATTR {
    const FloatVector p = exp(d, Mul(factor, Sub(io.load(&x[i]), max)));
    sums.add(k, io.valid_or(p, Zero(d)));
    io.store(p, &x[i]);
  };
  for_each_vector_in_groups<kSumLanes>(d, static_cast<int64_t>(x.size()), replace);
  return sums.total();
}

HWY_INLINE void multiply(float factor, Vector<float> x) {
  const Floats d;
  for_each_vector(d, static_cast<int64_t>(x.size()), [&](auto io, int64_t i) HWY_ATTR {
    io.store(Mul(Set(d, factor), io.load(&x[i])), &x[i]);
  });
}

// One query against the keys that it sees, as many as there are scores.
// docs/model.md#one-token-at-a-time
void attend_to_cache(Vector<const float> q, Matrix<const float> k, Matrix<const float> v,
                     Vector<float> out, Vector<float> scores) {
  const int64_t keys = static_cast<int64_t>(scores.size());
  const float scale = 1.f / std::sqrt(static_cast<float>(q.size()));
  for (int64_t s = 0; s < keys; ++s) {
    const int64_t ahead = std::min(s + kKeys, keys - 1);
    scores[s] = dot(q, k.row(s).data(), k.row(ahead).data());
  }
  const float sum = exponentiate(scale, scores);

  std::fill(out.begin(), out.end(), 0.f);
  int64_t s = 0;
  for (; s + kKeys <= keys; s += kKeys) add_weighted_rows<kKeys>(&scores[s], v, s, out);
  for (; s < keys; ++s) add_weighted_rows<1>(&scores[s], v, s, out);
  multiply(1.f / sum, out);
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
