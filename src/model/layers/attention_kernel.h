// The attention kernel of a precision, for the builders of forward and backward.
#pragma once

#include <memory>

#include "base/bfloat16.h"
#include "kernels/attention.h"
#include "kernels/attention_bf16.h"
#include "program/tiled.h"

namespace weft {

inline std::shared_ptr<const Attention> make_attention(const Tiled<float>& /*qkv*/, int64_t T,
                                                       int64_t HS, GemmBackend backend) {
  return std::make_shared<const Attention>(T, HS, backend);
}

inline std::shared_ptr<const AttentionBf16> make_attention(const Tiled<BFloat16>& /*qkv*/,
                                                           int64_t T, int64_t HS, GemmBackend) {
  return std::make_shared<const AttentionBf16>(T, HS);
}

}  // namespace weft
