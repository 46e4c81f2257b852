// CaseList: where the kernel cases are gathered; and the cases of matrix products.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "measure/kernel_cases.h"
#include "model/tiling.h"

namespace weft {

class CaseList {
 public:
  using MakeCall = std::function<KernelCall(Operands&)>;

  void add_hot(const std::string& name, const KernelCost& cost, MakeCall make_call) {
    cases_.push_back({name + "/hot", cost, CacheState::kHot, std::move(make_call)});
  }
  // Hot and cold.
  void add(const std::string& name, const KernelCost& cost, const MakeCall& make_call) {
    add_hot(name, cost, make_call);
    cases_.push_back({name + "/cold", cost, CacheState::kCold, make_call});
  }

  std::vector<KernelCase> take() { return std::move(cases_); }

 private:
  std::vector<KernelCase> cases_;
};

// Forward, dX and dW of every weight of a block and of the classifier.
void add_linear_cases(CaseList& list, const Config& config, const Tiling& tiling);

}  // namespace weft
