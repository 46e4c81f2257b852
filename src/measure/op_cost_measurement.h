// measure_costs: measures the cost of each kind of op of a step on this machine.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "predict/op_costs.h"
#include "step/workload.h"

namespace weft {

struct CostSettings {
  std::vector<int> thread_counts;  // in rising order
  int64_t steps = 1;               // observed steps, for each number of threads
  bool compares = false;           // also times steps of the other executors, in turn
};

// Observes real steps of `tasks` on each number of threads, after two steps of warm-up, and takes
// the middle half of them by their time. Calls progress(text) as it goes on. Throws Error where
// there is no memory for the step.
OpCosts measure_costs(const Workload& workload, const CostSettings& settings,
                      const std::function<void(const std::string& what)>& progress);

// Returns the workload with so few layers that every kind of op is still there: the ops of one
// layer are like those of another.
Workload with_few_layers(Workload workload);

}  // namespace weft
