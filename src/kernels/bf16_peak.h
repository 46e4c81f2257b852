// The most bf16 multiply-adds that a core can do: the twin of kernels/fma_peak.h.
#pragma once

#include <cstdint>

#include "kernels/bf16_backend.h"

namespace weft {

// Multiplies and adds `rounds` times on tiles or vectors that never leave the registers, in enough
// independent chains that no addition waits for another. All factors are 1: the result is the sum
// of all products, half of the FLOPs, as far as fp32 can count.
// REQUIRES: backend is not kAuto, and cpu_has(backend).
float multiply_add_bf16(Bf16Backend backend, int64_t rounds) noexcept;

// A multiplication and an addition count as two.
int64_t multiply_add_bf16_flops(Bf16Backend backend, int64_t rounds) noexcept;

}  // namespace weft
