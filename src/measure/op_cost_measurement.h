// measure_costs: what each kind of op of a step costs here.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "predict/op_costs.h"
#include "step/workload.h"

namespace weft {

struct CostSettings {
  std::vector<int> thread_counts;  // rising
  int64_t steps = 1;               // to watch, on each of them
  bool compares = false;  // the other executors take steps, too, in turn with those watched
};

// Watches real steps on each number of threads, under `tasks`, after two more that warm up, and
// counts the middle half of them by their time. Calls progress(what) as it goes on. Throws Error
// where there is no memory for the step.
OpCosts measure_costs(const Workload& workload, const CostSettings& settings,
                      const std::function<void(const std::string& what)>& progress);

// Returns the workload with so few layers that every kind of op is still there: the ops of one
// layer are like those of another.
Workload with_few_layers(Workload workload);

}  // namespace weft
