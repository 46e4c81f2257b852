// Loaded before weft by LD_PRELOAD, lets it pick no better vector kernels than an older CPU has:
//
//   LD_PRELOAD=build/tests/liblower_target.so WEFT_TEST_TARGET=SSE4 weft doctor
//
// Highway has no variable for that. The libraries of matrix products have: LIBXSMM_TARGET and
// OPENBLAS_CORETYPE.
#include <hwy/targets.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

// Highway's targets are bits, the better one of an architecture the lower.
int64_t better_than(std::string_view target) {
  if (target == "AVX2") return HWY_AVX2 - 1;
  if (target == "SSE4") return HWY_SSE4 - 1;
  if (target == "PORTABLE") return HWY_EMU128 - 1;
  std::fputs("lower_target: WEFT_TEST_TARGET is none of AVX2, SSE4 and PORTABLE\n", stderr);
  std::abort();
}

[[gnu::constructor]] void lower_target() {
  const char* target = std::getenv("WEFT_TEST_TARGET");
  hwy::DisableTargets(better_than(target == nullptr ? "" : target));
}

}  // namespace
