// Kernel cases: every kernel at the shapes that it has in a training step of a model.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/kernel_costs.h"
#include "measure/operands.h"
#include "model/config.h"

namespace weft {

// One call of a kernel, with operands of its own.
struct KernelCall {
  std::function<void()> run;
  // Restores operands that `run` overwrites, where repeated runs would lead to values that no step
  // holds. Not timed. Null where that cannot happen.
  std::function<void()> restore = {};
  int64_t runs_before_restore = 1;
};

// kHot: every call has the same operands, in the nearest cache that holds them. kCold: the operands
// that a step reads from memory rotate through more memory than the caches hold. For matrix
// products these are the weights or their gradient; for other kernels, all operands but those that
// ops share.
enum class CacheState { kHot, kCold };

struct KernelCase {
  std::string name;  // "qkv/forward/hot"
  KernelCost cost;   // of one call
  CacheState cache;
  std::function<KernelCall(Operands&)> make_call;
};

// The cases have B sequences of T tokens, and the tiles of the step.
std::vector<KernelCase> kernel_cases(const Config& config, int64_t B, int64_t T);

}  // namespace weft
