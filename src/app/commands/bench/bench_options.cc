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
constexpr int64_t kUsualLength = 64;
constexpr int64_t kGpt2Vocabulary = 50257;

}  // namespace

void add_model_flags(Options& flags, BenchModel& model) {
  flags.text("--model", model.name, "D",
             "dN, gpt2, gpt2-medium, gpt2-large, gpt2-xl, or L=4,NH=4,C=128,T=128[,V=...]");
  flags.integer("--batch-size", model.B, {1, kMostSequences}, "Sequences per step");
  flags.integer("--seq-len", model.T, {1, kLongest},
                "Tokens per sequence; 64, or the model's T if that is less");
}

void add_bench_flags(Options& flags, BenchOptions& options) {
  add_model_flags(flags, options.model);
  flags.flag("--json", options.as_json, "Print a JSON object");
}

bool parse_bench_flags(Options& flags, const Arguments& arguments, BenchOptions& options) {
  return parse_model_flags(flags, arguments, options.model);
}

bool parse_model_flags(Options& flags, const Arguments& arguments, BenchModel& m) {
  if (!flags.parse(arguments)) return false;
  m.config = parse_model(m.name, kGpt2Vocabulary);
  if (m.T == 0) m.T = std::min(kUsualLength, m.config.T);
  if (m.T > m.config.T) {
    throw flags.error("--seq-len", fmt::format("{} is longer than the model's T", m.T),
                      fmt::format("use at most {}", m.config.T));
  }
  return true;
}

nlohmann::ordered_json bench_json(const char* bench, const BenchModel& model) {
  return {{"bench", bench},
          {"version", version()},
          {"commit", git_commit()},
          {"cpu", cpu_name()},
          {"cpus", available_cpus()},
          {"vector_target", simd_target()},
          {"gemm", gemm_description()},
          {"openmp", openmp_runtime()},
          {"model", to_string(model.config)},
          {"batch_size", model.B},
          {"seq_len", model.T}};
}

void print_json(const nlohmann::ordered_json& json) { std::puts(json_text(json, 2).c_str()); }

}  // namespace weft
