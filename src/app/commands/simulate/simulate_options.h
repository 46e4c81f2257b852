// SimulateOptions: the command line of `weft simulate`.
#pragma once

#include <string>
#include <vector>

#include "app/commands/bench/bench_options.h"
#include "predict/prediction.h"

namespace weft {

struct SimulateOptions : BenchOptions {
  std::vector<int> nodes, cores;
  std::vector<std::string> dists, execs;
  SimulatedTraining training;  // with the workload
  std::string costs;           // a file; "": measured on this machine
  std::string comm;            // a file; "": the library reaches all of the link
  int64_t steps = 5;           // measured without `costs`
  std::string trace;

  size_t scenarios() const { return nodes.size() * cores.size() * dists.size() * execs.size(); }
};

// Returns false if --help was given, after printing the help. Throws Error (kInput) that names the
// flag.
bool parse_simulate_options(const Arguments& arguments, SimulateOptions& options);

}  // namespace weft
