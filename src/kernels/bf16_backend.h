// Bf16Backend: the instructions that multiply bf16, and whether this CPU and system offer them.
#pragma once

#include <string>

namespace weft {

enum class Bf16Backend {
  kAuto,        // kAmx where it can be used, else kAvx512Bf16
  kAmx,         // tiles: tdpbf16ps
  kAvx512Bf16,  // vectors: vdpbf16ps
};

// True if the backend can be used here. The first question about AMX asks the system to let this
// process use tiles, which needs Linux 5.16. Thread-safe.
bool cpu_has(Bf16Backend backend) noexcept;

// True if either can be used.
inline bool cpu_has_bf16() noexcept { return cpu_has(Bf16Backend::kAuto); }

// The backend that kAuto stands for here. Throws Error, with the reason, if it cannot be used.
Bf16Backend resolve(Bf16Backend backend);

// "AMX tiles" or "AVX512-BF16"; where the backend cannot be used, why.
std::string bf16_description(Bf16Backend backend = Bf16Backend::kAuto);

}  // namespace weft
