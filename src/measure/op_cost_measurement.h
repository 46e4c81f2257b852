// measure_costs: what each kind of op of a step costs here.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "app/commands/bench/bench_options.h"
#include "predict/op_costs.h"

namespace weft {

struct CostSettings {
  std::vector<int> thread_counts;  // rising
  int64_t steps = 1;               // to watch, on each of them
  bool compares = false;  // the other executors take steps, too, in turn with those watched
};

// Watches real steps on each number of threads, under `tasks`, after two more that warm up, and
// counts the middle half of them by their time. Calls progress(what) as it goes on. Throws Error
// where there is no memory for the step.
OpCosts measure_costs(const BenchModel& model, const CostSettings& settings,
                      const std::function<void(const std::string& what)>& progress);

// The model with so few layers that all kinds of ops are there: a layer's are like another's.
BenchModel with_few_layers(BenchModel model);

}  // namespace weft
