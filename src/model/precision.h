// Precision: of matrix products and of the activations that they read. Weights, moments, the
// residual stream, statistics, losses and all sums are fp32 in both.
#pragma once

namespace weft {

enum class Precision { kFp32, kBf16 };

inline const char* precision_name(Precision precision) {
  return precision == Precision::kBf16 ? "bf16" : "fp32";
}

}  // namespace weft
