// Kernel cases: every kernel at the shapes that the ops of one model's step give it.
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
  // Undoes what `run` does to operands that it overwrites, where they would end up as something
  // that no step holds. Not timed. Null where that cannot happen.
  std::function<void()> restore = {};
  int64_t runs_before_restore = 1;
};

// Hot: the same operands again and again, in the nearest cache that holds them. Cold: the operands
// that a step finds in memory rotate through more of them than a cache holds. For matrix products
// these are the weights, or their gradient; otherwise all but what ops share.
enum class CacheState { kHot, kCold };

struct KernelCase {
  std::string name;  // "qkv/forward/hot"
  KernelCost cost;   // of one call
  CacheState cache;
  std::function<KernelCall(Operands&)> make_call;
};

// B sequences of T tokens, in the tiles that the step would be cut into.
std::vector<KernelCase> kernel_cases(const Config& config, int64_t B, int64_t T);

}  // namespace weft
