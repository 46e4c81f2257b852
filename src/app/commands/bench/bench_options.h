// What the benchmarks share: the model, the batch, and how results are printed.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "app/cli/options.h"
#include "model/config.h"
#include "model/precision.h"

namespace weft {

struct BenchModel {
  std::string name = "gpt2";
  int64_t B = 4;
  int64_t T = 0;  // 0: 64, or the model's if that is less
  std::string precision = precision_name(Precision::kFp32);
  Config config;  // from the parsers below
};

struct BenchOptions {
  BenchModel model;
  bool as_json = false;
};

// --model, --batch-size and --seq-len. REQUIRES, here and below: what they fill in outlives the
// flags.
void add_model_flags(Options& flags, BenchModel& model);
// The same, and --json.
void add_bench_flags(Options& flags, BenchOptions& options);

// Parses, and fills in config and T. False after --help. Throws Error (kInput).
bool parse_model_flags(Options& flags, const Arguments& arguments, BenchModel& model);
bool parse_bench_flags(Options& flags, const Arguments& arguments, BenchOptions& options);

// Version, commit, CPU, libraries, model and batch: what every result begins with.
nlohmann::ordered_json bench_json(const char* bench, const BenchModel& model);

void print_json(const nlohmann::ordered_json& json);

// The subcommands. Each takes what follows its name and returns the exit status. Throws Error.
int bench_step(const Arguments& arguments);
int bench_kernels(const Arguments& arguments);
int bench_tasks(const Arguments& arguments);
int bench_comm(const Arguments& arguments);

}  // namespace weft
