// The most multiply-adds that a core can do: the peak behind model FLOPs utilisation.
#pragma once

#include <cstdint>

namespace weft {

// Multiplies and adds `rounds` times on vectors that never leave the registers: enough independent
// chains that no add waits for another. Returns a number that depends on all of it, so that no
// compiler leaves it out. multiply_add_flops(rounds) FLOPs, 0 bytes.
float multiply_add(int64_t rounds) noexcept;

// An add and a multiply per lane count as two, on the instruction set that multiply_add picks.
int64_t multiply_add_flops(int64_t rounds) noexcept;

}  // namespace weft
