// CaseList: collects kernel cases; and the cases of matrix products.
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
  // Adds a hot case and a cold one.
  void add(const std::string& name, const KernelCost& cost, const MakeCall& make_call) {
    add_hot(name, cost, make_call);
    cases_.push_back({name + "/cold", cost, CacheState::kCold, make_call});
  }

  std::vector<KernelCase> take() { return std::move(cases_); }

 private:
  std::vector<KernelCase> cases_;
};

// Adds the forward, dX and dW products of every weight of a block and of the classifier.
void add_linear_cases(CaseList& list, const Config& config, const Tiling& tiling);

}  // namespace weft
