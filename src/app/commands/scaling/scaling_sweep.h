// The sweep of `weft scaling`: which configurations run, each as a `weft bench step` of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/cli/recompute_flag.h"
#include "app/cli/terminal.h"
#include "app/commands/bench/bench_options.h"
#include "parallel/strategy.h"

namespace weft {

// B is the batch of all ranks together, or of each.
struct ScalingOptions : WorkloadOptions {
  bool strong = true;  // of all ranks together
  std::vector<int64_t> ranks, threads;
  std::vector<std::string> executors;
  DistributionSettings distribution;
  std::string recompute = kRecomputeNone;
  int64_t steps = 5, rounds = 3;
  std::string launcher = "mpirun";  // may have flags behind it
  std::string json;                 // a file, or ""
};

struct ScalingPoint {
  std::string executor;
  int64_t ranks = 1, threads = 1;

  int64_t workers() const { return ranks * threads; }
  bool operator==(const ScalingPoint&) const = default;
};

// "tasks, 2 ranks x 1 thread"
std::string to_string(const ScalingPoint& point);

// Every executor with every number of ranks and threads, but the sequential one with one thread.
std::vector<ScalingPoint> scaling_points(const ScalingOptions& options);

// The first of those with the fewest workers. REQUIRES: there are points.
size_t reference_of(const std::vector<ScalingPoint>& points);

// What is run for a point. `program` is weft.
std::vector<std::string> command_of(const ScalingPoint& point, const ScalingOptions& options,
                                    const std::string& program);

struct ScalingResult {
  ScalingPoint point;
  std::vector<double> step_ms;  // by round: the median of its steps
  std::string middle;           // what `weft bench step` printed in the round of the median time
};

// Runs all points in each round, one after the other, so that what slows the machine for a while
// slows all of them. Shows progress. Throws Error (kInput) where ranks cannot be started, and what
// a run that failed said.
std::vector<ScalingResult> run_sweep(const ScalingOptions& options, Terminal& terminal);

}  // namespace weft
