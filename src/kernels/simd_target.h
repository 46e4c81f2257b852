// Which instruction set the vector kernels run on.
#pragma once

namespace weft {

// The name of the target that they pick on this CPU, as Highway calls it: "AVX3" is AVX-512.
const char* simd_target() noexcept;

}  // namespace weft
