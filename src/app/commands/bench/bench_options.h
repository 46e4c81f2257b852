// The flags and the output that the benchmarks share.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "app/cli/options.h"
#include "step/workload.h"

namespace weft {

// A workload, and the name of its model as given.
struct WorkloadOptions {
  std::string model = "gpt2";
  Workload workload = {};
};

struct BenchOptions : WorkloadOptions {
  bool as_json = false;
};

// Adds --model, --batch-size and --seq-len. REQUIRES, here and below: the options outlive the
// flags.
void add_workload_flags(Options& flags, WorkloadOptions& options);
// Adds --json, too.
void add_bench_flags(Options& flags, BenchOptions& options);

// Parses the arguments, and fills in the model's shape and T where --seq-len was not given. Returns
// false after --help. Throws Error (kInput).
bool parse_workload_flags(Options& flags, const Arguments& arguments, WorkloadOptions& options);

// Returns the fields that every result begins with: version, commit, CPU, libraries, model and
// batch.
nlohmann::ordered_json bench_json(const char* bench, const Workload& workload);

void print_json(const nlohmann::ordered_json& json);

// The subcommands. Each takes the arguments that follow its name and returns the exit status.
// Throws Error.
int bench_step(const Arguments& arguments);
int bench_kernels(const Arguments& arguments);
int bench_tasks(const Arguments& arguments);
int bench_comm(const Arguments& arguments);

}  // namespace weft
