#include "app/commands/bench/bench_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "exec/executor.h"
#include "kernels/gemm.h"
#include "kernels/simd_target.h"
#include "measure/machine.h"

namespace weft {
namespace {

constexpr int64_t kMostSequences = 1 << 16;
constexpr int64_t kLongest = 1 << 20;
constexpr int64_t kUsualLength = 64, kUnsetLength = 0;
constexpr int64_t kGpt2Vocabulary = 50257;

}  // namespace

void add_workload_flags(Options& flags, WorkloadOptions& o) {
  o.workload.T = kUnsetLength;
  flags.text("--model", o.model, "D",
             "dN, gpt2, gpt2-medium, gpt2-large, gpt2-xl, or L=4,NH=4,C=128,T=128[,V=...]");
  flags.integer("--batch-size", o.workload.B, {1, kMostSequences}, "Sequences per step");
  flags.integer("--seq-len", o.workload.T, {1, kLongest},
                "Tokens per sequence; 64, or the model's T if that is less");
}

void add_bench_flags(Options& flags, BenchOptions& options) {
  add_workload_flags(flags, options);
  flags.flag("--json", options.as_json, "Print a JSON object");
}

bool parse_workload_flags(Options& flags, const Arguments& arguments, WorkloadOptions& o) {
  if (!flags.parse(arguments)) return false;
  Workload& w = o.workload;
  w.config = parse_model(o.model, kGpt2Vocabulary);
  if (w.T == kUnsetLength) w.T = std::min(kUsualLength, w.config.T);
  if (w.T > w.config.T) {
    throw flags.error("--seq-len", fmt::format("{} is longer than the model's T", w.T),
                      fmt::format("use at most {}", w.config.T));
  }
  return true;
}

nlohmann::ordered_json bench_json(const char* bench, const Workload& workload) {
  return {{"bench", bench},
          {"version", version()},
          {"commit", git_commit()},
          {"cpu", cpu_name()},
          {"cpus", available_cpus()},
          {"vector_target", simd_target()},
          {"gemm", gemm_description()},
          {"openmp", openmp_runtime()},
          {"model", to_string(workload.config)},
          {"batch_size", workload.B},
          {"seq_len", workload.T}};
}

void print_json(const nlohmann::ordered_json& json) { std::puts(json_text(json, 2).c_str()); }

}  // namespace weft
