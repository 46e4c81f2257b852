// Counter-based random numbers. Every value is a pure function of (seed, stream, index), so any
// thread can compute any value, and a resumed run needs no generator state.
#pragma once

#include <array>
#include <cstdint>

namespace weft {

// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11): ten rounds of
// a keyed bijection on 128-bit counters.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// A uniform 64-bit value.
uint64_t random_u64(uint64_t seed, uint64_t stream, uint64_t index);

// Uniform in [0, 1) with 53 random bits.
double random_uniform(uint64_t seed, uint64_t stream, uint64_t index);

// Standard normal (Box-Muller on two uniforms of one counter).
double random_normal(uint64_t seed, uint64_t stream, uint64_t index);

}  // namespace weft
