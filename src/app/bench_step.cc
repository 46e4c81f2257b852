// `weft bench step`: how long a training step takes, how even that is, and what the time goes to.
#include <fmt/format.h>

#include <map>
#include <numeric>

#include "app/bench_model_step.h"
#include "app/bench_options.h"
#include "app/bench_profile.h"
#include "app/executor_flags.h"
#include "app/format.h"
#include "app/live_line.h"
#include "app/machine.h"
#include "app/precision_flag.h"
#include "app/recompute_flag.h"
#include "app/terminal.h"

namespace weft {
namespace {

using nlohmann::ordered_json;

constexpr int kWarmUpSteps = 2;

struct StepOptions : BenchOptions {
  ExecutorOptions executor;
  std::string recompute = kRecomputeNone;
  int64_t steps = 10;
};

bool parse(const Arguments& arguments, StepOptions& o) {
  Options flags("bench step",
                "Times training steps on random tokens: forward, backward and update, without "
                "data, logs and checkpoints. Two more steps warm up.");
  add_bench_flags(flags, o);
  add_executor_flags(flags, o.executor);
  add_precision_flag(flags, o.model.precision);
  add_recompute_flag(flags, o.recompute);
  flags.integer("--steps", o.steps, {1, 1'000'000}, "Steps that are timed");
  return parse_bench_flags(flags, arguments, o);
}

struct StepResult {
  std::string executor;
  int threads = 1;
  int64_t recomputed_blocks = 0;
  size_t memory_bytes = 0;
  int64_t tokens = 0;
  double peak = 0.;  // FLOP/s of all threads
  double model_flops_per_token = 0.;
  double loss = 0.;
  std::vector<double> seconds;  // by step
  std::vector<OpKindTime> kinds;
  std::map<std::string, double> flops;  // of a step, by kind

  double total_s() const { return std::accumulate(seconds.begin(), seconds.end(), 0.); }
  double thread_s() const { return total_s() * threads; }
  double busy_s() const {
    double sum = 0.;
    for (const OpKindTime& kind : kinds) sum += kind.seconds;
    return sum;
  }
  double idle() const { return 1. - busy_s() / thread_s(); }
  double steps() const { return static_cast<double>(seconds.size()); }

  // FLOP/s of the threads that were at this kind; 0 where its FLOPs are not known.
  double flops_per_s(const OpKindTime& kind) const {
    const auto known = flops.find(kind.kind);
    return known == flops.end() || kind.seconds == 0. ? 0. : known->second * steps() / kind.seconds;
  }
  double peak_share(const OpKindTime& kind) const { return flops_per_s(kind) / (peak / threads); }
};

StepResult measure(const StepOptions& o) {
  Terminal terminal;
  LiveLine live(terminal);
  const std::unique_ptr<Executor> executor = make_executor(o.executor);
  BenchStep step(o.model, *executor, recomputes_blocks(o.recompute));
  const std::unique_ptr<PreparedProgram> prepared = executor->prepare(step.program());
  for (int i = 0; i < kWarmUpSteps; ++i) step.run(*prepared);

  StepResult r;
  r.executor = executor->name();
  r.threads = executor->threads();
  const Precision precision = parse_precision("bench", o.model.precision);
  r.peak = measure_peak_flops(*executor, precision);
  StepProfile profile(step.program());
  for (int64_t i = 0; i < o.steps; ++i) {
    r.seconds.push_back(step.run(*prepared, &profile));
    live.show([&] { return fmt::format("step {} of {}", i + 1, o.steps); });
  }
  // Before and after: other processes only ever slow the measurement down.
  r.peak = std::max(r.peak, measure_peak_flops(*executor, precision));
  r.recomputed_blocks = step.recomputed_blocks();
  r.memory_bytes = step.memory_bytes();
  r.tokens = step.tokens();
  r.model_flops_per_token = flops_per_token(step.table(), o.model.T);
  r.loss = step.loss();
  r.kinds = profile.kinds();
  r.flops = step_flops(o.model.config, o.model.B, o.model.T, r.recomputed_blocks);
  return r;
}

// What the median step reaches.
struct Rates {
  TimeSpread step_s;
  double tokens_per_s, mfu, product_share;

  explicit Rates(const StepResult& r) : step_s(spread_of(r.seconds)) {
    tokens_per_s = static_cast<double>(r.tokens) / step_s.median;
    mfu = tokens_per_s * r.model_flops_per_token / r.peak;
    double flops = 0.;
    for (const auto& [kind, n] : r.flops) flops += n;
    product_share = flops / step_s.median / r.peak;
  }
};

std::map<std::string, double> seconds_by_phase(const StepResult& r) {
  std::map<std::string, double> seconds;
  for (const OpKindTime& kind : r.kinds) seconds[phase_name(kind.phase)] += kind.seconds;
  return seconds;
}

ordered_json to_json(const OpKindTime& kind, const StepResult& r) {
  const double rate = r.flops_per_s(kind);
  return {{"kind", kind.kind},
          {"phase", phase_name(kind.phase)},
          {"ops", kind.ops},
          {"thread_ms", 1e3 * kind.seconds / r.steps()},
          {"share", kind.seconds / r.thread_s()},
          {"gflops", rate > 0. ? ordered_json(1e-9 * rate) : ordered_json()},
          {"peak_share", rate > 0. ? ordered_json(r.peak_share(kind)) : ordered_json()}};
}

void print_result_json(const StepOptions& o, const StepResult& r) {
  const Rates rates(r);
  ordered_json json = bench_json("step", o.model);
  json.update({{"executor", r.executor},
               {"threads", r.threads},
               {"precision", o.model.precision},
               {"peak_" + o.model.precision, r.peak},
               {"recompute", o.recompute},
               {"recomputed_blocks", r.recomputed_blocks},
               {"memory_bytes", r.memory_bytes},
               {"tokens_per_step", r.tokens},
               {"steps", r.seconds.size()},
               {"loss", r.loss},
               {"step_ms",
                {{"min", 1e3 * rates.step_s.min},
                 {"median", 1e3 * rates.step_s.median},
                 {"max", 1e3 * rates.step_s.max}}},
               {"tokens_per_s", rates.tokens_per_s},
               {"mfu", rates.mfu},
               {"mfu_convention", kMfuConvention},
               {"matrix_product_share", rates.product_share},
               {"idle_share", r.idle()}});
  for (const auto& [phase, seconds] : seconds_by_phase(r)) {
    json["phases"][phase] = {{"thread_ms", 1e3 * seconds / r.steps()},
                             {"share", seconds / r.thread_s()}};
  }
  json["ops"] = ordered_json::array();
  for (const OpKindTime& kind : r.kinds) json["ops"].push_back(to_json(kind, r));
  print_json(json);
}

void print_summary(const StepOptions& o, const StepResult& r) {
  const Rates rates(r);
  const auto line = [](const char* name, const std::string& text) {
    fmt::print("{:<12} {}\n", name, text);
  };
  line("model", fmt::format("{}, {} x {} tokens", to_string(o.model.config), o.model.B, o.model.T));
  line("executor", fmt::format("{}, {} threads, {} peak {}FLOP/s measured", r.executor, r.threads,
                               o.model.precision, format_large(r.peak)));
  line("memory", format_bytes(r.memory_bytes));
  if (r.recomputed_blocks > 0) {
    line("recompute", fmt::format("{} of {} blocks, which MFU does not count", r.recomputed_blocks,
                                  o.model.config.L));
  }
  line("step",
       fmt::format("{:.2f} ms median of {} (min {:.2f}, max {:.2f})", 1e3 * rates.step_s.median,
                   r.seconds.size(), 1e3 * rates.step_s.min, 1e3 * rates.step_s.max));
  line("tokens/s", format_count(static_cast<int64_t>(rates.tokens_per_s)));
  line("MFU",
       fmt::format("{} ({}); matrix products alone {} of the peak", format_percent(rates.mfu),
                   kMfuConvention, format_percent(rates.product_share)));
  line("idle", fmt::format("{} of the threads' time", format_percent(r.idle())));
}

void print_tables(const StepResult& r) {
  const auto share = [&](double seconds) { return format_percent(seconds / r.thread_s()); };
  fmt::print("\n{:<32} {:>11} {:>8}\n", "phase", "thread ms", "share");
  for (const auto& [phase, seconds] : seconds_by_phase(r)) {
    fmt::print("{:<32} {:>11.3f} {:>8}\n", phase, 1e3 * seconds / r.steps(), share(seconds));
  }
  fmt::print("\n{:<32} {:>11} {:>8} {:>7} {:>9} {:>8}\n", "op", "thread ms", "share", "count",
             "GFLOP/s", "of peak");
  for (const OpKindTime& kind : r.kinds) {
    const double rate = r.flops_per_s(kind);
    fmt::print("{:<32} {:>11.3f} {:>8} {:>7} {:>9} {:>8}\n", kind.kind,
               1e3 * kind.seconds / r.steps(), share(kind.seconds), kind.ops,
               rate > 0. ? fmt::format("{:.1f}", 1e-9 * rate) : "",
               rate > 0. ? format_percent(r.peak_share(kind)) : "");
  }
}

}  // namespace

int bench_step(const Arguments& arguments) {
  StepOptions o;
  if (!parse(arguments, o)) return 0;
  const StepResult result = measure(o);
  if (o.as_json) {
    print_result_json(o, result);
  } else {
    print_summary(o, result);
    print_tables(result);
  }
  return 0;
}

}  // namespace weft
