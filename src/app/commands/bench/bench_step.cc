// `weft bench step`: the time of a training step, its spread, and its parts.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/efficiency_output.h"
#include "app/cli/executor_flags.h"
#include "app/cli/format.h"
#include "app/cli/live_line.h"
#include "app/cli/precision_flag.h"
#include "app/cli/rank_failures.h"
#include "app/cli/recompute_flag.h"
#include "app/cli/strategy_flags.h"
#include "app/cli/terminal.h"
#include "app/commands/bench/bench_options.h"
#include "comm/agreement.h"
#include "comm/connect.h"
#include "measure//step_measurement.h"
#include "measure/time_spread.h"
#include "model/model_flops.h"

namespace weft {
namespace {

using nlohmann::ordered_json;

struct BenchStepOptions : BenchOptions {
  std::string recompute = kRecomputeNone;
  StepMeasurementSettings settings;
};

bool parse(const Arguments& arguments, BenchStepOptions& o) {
  Options flags("bench step",
                "Times training steps on random tokens: forward, backward and update, without "
                "data, logs and checkpoints. Two more steps warm up. Of several ranks, which "
                "mpirun or srun started, each has a batch of its own.");
  add_bench_flags(flags, o);
  add_executor_flags(flags, o.settings.executor);
  add_precision_flag(flags, o.workload.precision);
  add_recompute_flag(flags, o.recompute);
  add_strategy_flags(flags, o.settings.distribution.strategy, o.settings.distribution.bucket_mb);
  flags.integer("--steps", o.settings.steps, {1, 1'000'000}, "Steps that are timed");
  if (!parse_workload_flags(flags, arguments, o)) return false;
  o.settings.recompute_blocks = recomputes_blocks(o.recompute);
  return true;
}

// The rates of the median step.
struct Rates {
  TimeSpread step_s;
  double tokens_per_s, mfu, product_share;

  explicit Rates(const StepMeasurement& r) : step_s(spread_of(r.seconds)) {
    tokens_per_s = static_cast<double>(r.tokens) / step_s.median;
    mfu = tokens_per_s * r.model_flops_per_token / r.peak;
    double flops = 0.;
    for (const auto& [kind, n] : r.flops) flops += n;
    product_share = r.ranks * flops / step_s.median / r.peak;
  }
};

ordered_json to_json(const OpKindTime& kind, const StepMeasurement& r) {
  const double rate = r.flops_per_s(kind);
  return {{"kind", kind.kind},
          {"phase", phase_name(kind.phase)},
          {"ops", kind.ops},
          {"thread_ms", 1e3 * kind.seconds / r.steps()},
          {"share", kind.seconds / r.thread_s()},
          {"gflops", rate > 0. ? ordered_json(1e-9 * rate) : ordered_json()},
          {"peak_share", rate > 0. ? ordered_json(r.peak_share(kind)) : ordered_json()}};
}

void print_result_json(const BenchStepOptions& o, const StepMeasurement& r) {
  const Rates rates(r);
  const std::string precision = precision_name(o.workload.precision);
  ordered_json json = bench_json("step", o.workload);
  json.update(
      {{"executor", r.executor},
       {"ranks", r.ranks},
       {"dist", r.ranks > 1 ? ordered_json(o.settings.distribution.strategy) : ordered_json()},
       {"threads", r.threads},
       {"precision", precision},
       {"peak_" + precision, r.peak},
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
       {"idle_share", r.idle()},
       {"efficiency", to_json(r.efficiency)},
       {"phases", phases_json(r.efficiency.activity)},
       {"counters", counters_json(r.counts, r.why_no_counts)}});
  json["ops"] = ordered_json::array();
  for (const OpKindTime& kind : r.kinds) json["ops"].push_back(to_json(kind, r));
  print_json(json);
}

void print_summary(const BenchStepOptions& o, const StepMeasurement& r) {
  const Rates rates(r);
  const auto line = [](const char* name, const std::string& text) {
    fmt::print("{:<12} {}\n", name, text);
  };
  line("model", fmt::format("{}, {} x {} tokens{}", to_string(o.workload.config), o.workload.B,
                            o.workload.T, r.ranks > 1 ? " on each rank" : ""));
  if (r.ranks > 1) line("ranks", fmt::format("{}, {}", r.ranks, o.settings.distribution.strategy));
  line("executor", fmt::format("{}, {} threads{}, {} peak {}FLOP/s measured", r.executor, r.threads,
                               r.ranks > 1 ? " on each rank" : "",
                               precision_name(o.workload.precision), format_large(r.peak)));
  line("memory", format_bytes(r.memory_bytes) + (r.ranks > 1 ? " on each rank" : ""));
  if (r.recomputed_blocks > 0) {
    line("recompute", fmt::format("{} of {} blocks, which MFU does not count", r.recomputed_blocks,
                                  o.workload.config.L));
  }
  line("step",
       fmt::format("{:.2f} ms median of {} (min {:.2f}, max {:.2f})", 1e3 * rates.step_s.median,
                   r.seconds.size(), 1e3 * rates.step_s.min, 1e3 * rates.step_s.max));
  line("tokens/s", format_count(static_cast<int64_t>(rates.tokens_per_s)));
  line("MFU",
       fmt::format("{} ({}); matrix products alone {} of the peak", format_percent(rates.mfu),
                   kMfuConvention, format_percent(rates.product_share)));
  line("idle", fmt::format("{} of the threads' time{}", format_percent(r.idle()),
                           r.ranks > 1 ? " on rank 0" : ""));
  line("efficiency", describe(r.efficiency.pop));
  if (r.ranks > 1) line("", describe(r.efficiency.multiplicative, r.efficiency.additive));
  if (r.counts) line("counters", describe(*r.counts));
}

void print_tables(const StepMeasurement& r) {
  print_phases(r.efficiency.activity);
  fmt::print("\n{:<32} {:>11} {:>8} {:>7} {:>9} {:>8}\n", r.ranks > 1 ? "op on rank 0" : "op",
             "thread ms", "share", "count", "GFLOP/s", "of peak");
  for (const OpKindTime& kind : r.kinds) {
    const double rate = r.flops_per_s(kind);
    fmt::print("{:<32} {:>11.3f} {:>8} {:>7} {:>9} {:>8}\n", kind.kind,
               1e3 * kind.seconds / r.steps(), format_percent(kind.seconds / r.thread_s()),
               kind.ops, rate > 0. ? fmt::format("{:.1f}", 1e-9 * rate) : "",
               rate > 0. ? format_percent(r.peak_share(kind)) : "");
  }
}

}  // namespace

int bench_step(const Arguments& arguments) {
  const std::unique_ptr<Communicator> communicator = connect();
  return run_as_rank(*communicator, [&] {
    BenchStepOptions o;
    bool runs = false;
    on_all_ranks(*communicator, [&] { runs = parse(arguments, o); });
    if (!runs) return 0;
    require_precision("bench", o.workload.precision);
    Terminal terminal;
    LiveLine live(terminal);
    const StepMeasurement result =
        measure_steps(o.workload, o.settings, *communicator, [&](int64_t t) {
          live.show([&] { return fmt::format("step {} of {}", t, o.settings.steps); });
        });
    if (communicator->rank() != 0) return 0;
    if (o.as_json) {
      print_result_json(o, result);
    } else {
      print_summary(o, result);
      print_tables(result);
    }
    return 0;
  });
}

}  // namespace weft
