// Shared by the vector kernels: loops over vectors and their tails, sums in a fixed order, exp.
//
// A kernel's source is compiled once per instruction set, and a call picks one at run time. The
// source defines HWY_TARGET_INCLUDE as its own name, includes this header last, writes its code in
// weft::HWY_NAMESPACE, and exports it below `#if HWY_ONCE`. Lambdas need HWY_ATTR.

// The targets come first.
// clang-format off
#include "kernels/simd_targets.h"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/cache_control.h>
// clang-format on

// Not #pragma once: foreach_target.h includes the kernel's source again for each target.
#if defined(WEFT_KERNELS_SIMD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_KERNELS_SIMD_INL_H
#undef WEFT_KERNELS_SIMD_INL_H
#else
#define WEFT_KERNELS_SIMD_INL_H
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;

template <class D>
inline constexpr int64_t kLanesOf = static_cast<int64_t>(hn::MaxLanes(D()));

// Reads and writes the memory of a loop's body where all lanes exist.
template <class D>
struct WholeVector {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;

  HWY_INLINE V load(const T* p) const { return LoadU(D(), p); }
  HWY_INLINE void store(V v, T* p) const { StoreU(v, D(), p); }
  HWY_INLINE V valid_or(V v, V) const { return v; }
};

// Like WholeVector where only the first n lanes exist: the others load as zero, are not stored.
template <class D>
struct PartialVector {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  size_t n;

  HWY_INLINE V load(const T* p) const {
    alignas(64) T lanes[kLanesOf<D>] = {};
    std::memcpy(lanes, p, n * sizeof(T));
    return Load(D(), lanes);
  }
  HWY_INLINE void store(V v, T* p) const {
    alignas(64) T lanes[kLanesOf<D>];
    Store(v, D(), lanes);
    std::memcpy(p, lanes, n * sizeof(T));
  }
  // v in the lanes that exist, other in the rest.
  HWY_INLINE V valid_or(V v, V other) const { return IfThenElse(FirstN(D(), n), v, other); }
};

// Calls body(io, i) for every vector of [0, n): io is a WholeVector, or a PartialVector at the end.
// The lanes of a tail compute the same bits as the lanes of a whole vector.
template <class D, class Body>
HWY_INLINE void for_each_vector(D, int64_t n, Body body) {
  constexpr int64_t N = kLanesOf<D>;
  int64_t i = 0;
  for (; i + N <= n; i += N) body(WholeVector<D>(), i);
  if (i < n) body(PartialVector<D>{static_cast<size_t>(n - i)}, i);
}

// Calls body(io, i + k * N, k) for vector k of a group that begins at i, of those k that have lanes
// below n. A fold, not a loop: with k a constant, a body can keep a value per k in registers.
template <class D, class Body, int64_t... k>
HWY_INLINE void for_whole_group(std::integer_sequence<int64_t, k...>, int64_t i, Body body) {
  (body(WholeVector<D>(), i + k * kLanesOf<D>, k), ...);
}
template <class D, class Body, int64_t... k>
HWY_INLINE void for_partial_group(std::integer_sequence<int64_t, k...>, int64_t i, int64_t n,
                                  Body body) {
  constexpr int64_t N = kLanesOf<D>;
  ((i + k * N < n
        ? body(PartialVector<D>{static_cast<size_t>(std::min(N, n - i - k * N))}, i + k * N, k)
        : void()),
   ...);
}

// Like that, in groups of kLanes elements: body(io, i, k), where vector k of its group begins at i.
template <int64_t kLanes, class D, class Body>
HWY_INLINE void for_each_vector_in_groups(D, int64_t n, Body body) {
  using Indices = std::make_integer_sequence<int64_t, kLanes / kLanesOf<D>>;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) for_whole_group<D>(Indices(), i, body);
  if (i < n) for_partial_group<D>(Indices(), i, n, body);
}

template <class D>
HWY_INLINE hn::TFromD<D> sum_of_halves(D d, hn::Vec<D> v) {
  if constexpr (kLanesOf<D> == 1) {
    return GetLane(v);
  } else {
    const hn::Half<D> half;
    return sum_of_halves(half, Add(LowerHalf(half, v), UpperHalf(half, v)));
  }
  (void)d;
}

// kLanes partial sums. Element i of a row goes to lane i % kLanes and lane j adds to lane
// j + kLanes / 2, and so on, so that vectors of every width add in the same order.
template <class D, int64_t kLanes>
class LaneSums {
  static constexpr int64_t kVectors = kLanes / kLanesOf<D>;

 public:
  using V = hn::Vec<D>;

  HWY_INLINE LaneSums() {
    for (V& sum : sums_) sum = Zero(D());
  }

  HWY_INLINE V vector(int64_t k) const { return sums_[k]; }
  HWY_INLINE void add(int64_t k, V v) { sums_[k] = Add(sums_[k], v); }
  HWY_INLINE void add_product(int64_t k, V a, V b) { sums_[k] = MulAdd(a, b, sums_[k]); }

  HWY_INLINE hn::TFromD<D> total() {
    for (int64_t half = kVectors / 2; half > 0; half /= 2) {
      for (int64_t k = 0; k < half; ++k) add(k, sums_[k + half]);
    }
    return sum_of_halves(D(), sums_[0]);
  }

 private:
  V sums_[kVectors];
};

// For a stream from memory that is read at p: fetches the elements that follow, earlier than the
// processor does by itself. Past the end of the stream this has no effect.
template <typename T>
HWY_INLINE void prefetch_stream(const T* p) {
  constexpr int64_t kBytesAhead = 2048;
  hwy::Prefetch(p + kBytesAhead / int64_t{sizeof(T)});
}

// Call it before a store to p whose line is in memory: a store fetches its line only when it
// retires, one after the other, a prefetch as soon as p is known.
template <typename T>
HWY_INLINE void prefetch_to_store(const T* p) {
  hwy::Prefetch(p);
}

// A float rounded to an integer by adding 1.5 * 2^23, which leaves the integer in its low bits,
// too.
template <class D>
struct RoundedToInteger {
  using V = hn::Vec<D>;
  V shifted;

  static HWY_INLINE V magic() { return Set(D(), 12582912.f); }
  HWY_INLINE V value() const { return Sub(shifted, magic()); }
  // p * 2^value, by an addition to the exponent of p.
  HWY_INLINE V scale(V p) const {
    const hn::RebindToSigned<D> ints;
    return BitCast(D(), Add(BitCast(ints, p), hn::ShiftLeft<23>(BitCast(ints, shifted))));
  }
};

// exp(x) for x <= 88, within 1.3 ulp; 0 where the result would be denormal; NaN for NaN.
// With x = q ln 2 + r, |r| <= ln 2 / 2: exp(x) = 2^q exp(r), exp(r) by a polynomial that is exact
// at 0 and within 2^-28 elsewhere.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp(D d, V x) {
  using Rounded = RoundedToInteger<D>;
  const Rounded q = {MulAdd(x, Set(d, 1.44269504f), Rounded::magic())};
  const V r =
      NegMulAdd(q.value(), Set(d, -2.12194442e-4f), NegMulAdd(q.value(), Set(d, 0.693359375f), x));

  V p = MulAdd(Set(d, 1.39261759e-3f), r, Set(d, 8.36317334e-3f));
  p = MulAdd(p, r, Set(d, 4.16665561e-2f));
  p = MulAdd(p, r, Set(d, 0.166665778f));
  p = MulAdd(p, r, Set(d, 0.5f));
  p = MulAdd(p, r, Set(d, 1.f));
  p = MulAdd(p, r, Set(d, 1.f));
  const V kSmallest = Set(d, -87.3365448f);  // ln 2^-126
  return IfThenZeroElse(Lt(x, kSmallest), q.scale(p));
}

// 2^y for y <= 127, within 1.3 ulp where y >= -126; at most 2^-126 below that, and 0 from -127 on,
// where the exponent of 1 has become that of 0. Undefined for NaN. Cheaper than exp by 4
// operations.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp2(D d, V y) {
  using Rounded = RoundedToInteger<D>;
  y = Max(y, Set(d, -127.f));
  const Rounded q = {Add(y, Rounded::magic())};
  const V f = Sub(y, q.value());

  V p = MulAdd(Set(d, 1.5353362e-4f), f, Set(d, 1.3398875e-3f));
  p = MulAdd(p, f, Set(d, 9.618437e-3f));
  p = MulAdd(p, f, Set(d, 5.5503324e-2f));
  p = MulAdd(p, f, Set(d, 0.24022648f));
  p = MulAdd(p, f, Set(d, 0.6931472f));
  return q.scale(MulAdd(p, f, Set(d, 1.f)));
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // WEFT_KERNELS_SIMD_INL_H
