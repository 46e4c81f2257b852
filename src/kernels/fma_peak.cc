#include "kernels/fma_peak.h"

#define HWY_TARGET_INCLUDE "kernels/fma_peak.cc"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

using FloatVector = hn::Vec<Floats>;

// Two ports with a latency of 4 or 5 cycles need 10 chains; 12 and two operands fit in the 16
// registers of AVX2.
constexpr int kChains = 12;

// chain = chain * factor + addend converges to 1, so that no value becomes a slow denormal.
float multiply_add(int64_t rounds) {
  const Floats d;
  const FloatVector factor = Set(d, 0.5f);
  const FloatVector addend = Set(d, 0.5f);
  FloatVector chains[kChains];
  for (int i = 0; i < kChains; ++i) chains[i] = Set(d, static_cast<float>(i));
  for (int64_t round = 0; round < rounds; ++round) {
    for (FloatVector& chain : chains) chain = MulAdd(chain, factor, addend);
  }
  FloatVector sum = Zero(d);
  for (const FloatVector& chain : chains) sum = Add(sum, chain);
  return GetLane(SumOfLanes(d, sum));
}

int64_t multiply_add_flops(int64_t rounds) {
  return 2 * rounds * kChains * static_cast<int64_t>(Lanes(Floats()));
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft {

HWY_EXPORT(multiply_add);
float multiply_add(int64_t rounds) noexcept { return HWY_DYNAMIC_DISPATCH(multiply_add)(rounds); }

HWY_EXPORT(multiply_add_flops);
int64_t multiply_add_flops(int64_t rounds) noexcept {
  return HWY_DYNAMIC_DISPATCH(multiply_add_flops)(rounds);
}

}  // namespace weft
#endif
