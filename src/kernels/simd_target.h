// The instruction set that the vector kernels run on. Products choose theirs in gemm.cc (resolve)
// and bf16_backend.h.
#pragma once

namespace weft {

// The name of the target that they pick on this CPU, as Highway calls it: "AVX3" is AVX-512.
const char* simd_target() noexcept;

}  // namespace weft
