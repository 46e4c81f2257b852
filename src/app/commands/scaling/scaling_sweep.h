// The sweep of `weft scaling`: runs every configuration as a `weft bench step` of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/cli/recompute_flag.h"
#include "app/cli/terminal.h"
#include "app/commands/bench/bench_options.h"
#include "parallel/strategy.h"

namespace weft {

// The batch is that the batch is that of all ranks together (strong scaling) or of each rank (weak
// scaling).
struct ScalingOptions : WorkloadOptions {
  bool strong = true;  // of all ranks together
  std::vector<int64_t> ranks, threads;
  std::vector<std::string> executors;
  DistributionSettings distribution;
  std::string recompute = kRecomputeNone;
  int64_t steps = 5, rounds = 3;
  std::string launcher = "mpirun";  // may be followed by flags
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

// Returns every executor with every number of ranks and threads; the sequential one with one thread
// only.
std::vector<ScalingPoint> scaling_points(const ScalingOptions& options);

// Returns the index of the first point with the fewest workers. REQUIRES: there are points.
size_t reference_of(const std::vector<ScalingPoint>& points);

// Returns the command that runs a point. `program` is the path of weft.
std::vector<std::string> command_of(const ScalingPoint& point, const ScalingOptions& options,
                                    const std::string& program);

struct ScalingResult {
  ScalingPoint point;
  std::vector<double> step_ms;  // by round: the median of its steps
  std::string middle;           // output of `weft bench step` in the round of the median time
};

// Runs all points in each round, one after the other, so that a slow phase of the machine slows all
// of them. Shows progress. Throws Error (kInput) where ranks cannot be started, and an Error with
// the message of a run that failed.
std::vector<ScalingResult> run_sweep(const ScalingOptions& options, Terminal& terminal);

}  // namespace weft
