#include "kernels/simd_target.h"

#define HWY_TARGET_INCLUDE "kernels/simd_target.cc"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

const char* simd_target() { return hwy::TargetName(HWY_TARGET); }

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft {

HWY_EXPORT(simd_target);
const char* simd_target() noexcept { return HWY_DYNAMIC_DISPATCH(simd_target)(); }

}  // namespace weft
#endif
