// Instruction cases: every kernel once, on a small problem whose instructions are counted.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/bfloat16.h"
#include "base/view.h"

namespace weft {

// Memory for one case. The same calls give the same values and the same alignment, 64 bytes, on
// every machine: a count depends on nothing else.
class CaseMemory {
 public:
  // Uniform in [-1, 1].
  Vector<float> vector(int64_t n);
  Matrix<float> matrix(int64_t rows, int64_t cols) {
    return {vector(rows * cols).data(), rows, cols};
  }
  // Uniform in [0, limit).
  Vector<int32_t> indices(int64_t n, int64_t limit);
  // Zero.
  Matrix<BFloat16> bf16_matrix(int64_t rows, int64_t cols) {
    return arena_.matrix<BFloat16>(rows, cols);
  }
  std::byte* scratch(size_t bytes) { return arena_.allocate_bytes(bytes); }

 private:
  Arena arena_;
  std::minstd_rand random_;  // the standard fixes its sequence
};

struct InstructionCase {
  std::string name;
  // Prepares the operands, which live as long as the memory, and returns a call of the kernel.
  std::function<std::function<void()>(CaseMemory&)> prepare;
};

// Left out: kernels/gemm_bf16 and both peaks. valgrind knows neither AVX512-BF16 nor AMX, and a
// peak is no part of a step.
std::vector<InstructionCase> instruction_cases();

}  // namespace weft
