// The instruction sets that the vector kernels are compiled for. Include before any Highway header.
#pragma once

#ifdef HWY_DISABLED_TARGETS
#error "A Highway header came first, and has chosen the targets."
#endif

// Kept: AVX-512, AVX2, SSE4, NEON and the portable fallback. Dropped to build faster: SSSE3 (served
// by the fallback), AVX3_DL (adds nothing for fp32) and SVE, whose vectors have no size at compile
// time, which the fixed-order sums need.
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
