#include "measure/kernel_timing.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>

namespace weft {
namespace {

// The operands of the case that is being timed, and the calls that take turns.
class Rotation {
 public:
  Rotation(const KernelCase& kernel, size_t cold_bytes) {
    const size_t least = kernel.cache == CacheState::kCold ? cold_bytes : 0;
    do {
      calls_.push_back(kernel.make_call(operands_));
    } while (operands_.bytes() < least);
    warm_up();
  }

  size_t bytes() const { return operands_.bytes(); }

  void run(benchmark::State& state) {
    for (auto _ : state) {
      calls_[next_].run();
      if (++next_ == calls_.size()) finish_round(state);
    }
  }

 private:
  // The first run of a kernel reads its code, and touches its scratch for the first time.
  void warm_up() {
    for (const KernelCall& call : calls_) call.run();
    if (calls_.front().restore) restore();
  }

  void restore() {
    for (const KernelCall& call : calls_) call.restore();
  }

  void finish_round(benchmark::State& state) {
    next_ = 0;
    const KernelCall& first = calls_.front();
    if (!first.restore || ++rounds_ % first.runs_before_restore != 0) return;
    state.PauseTiming();
    restore();
    state.ResumeTiming();
  }

  Operands operands_;
  std::vector<KernelCall> calls_;
  size_t next_ = 0;
  int64_t rounds_ = 0;
};

// Google Benchmark calls a benchmark several times to find how many iterations it needs, and again
// for every repetition: the operands stay until the next case comes.
class Runner : public benchmark::BenchmarkReporter {
 public:
  Runner(const std::vector<KernelCase>& cases, const KernelTimingSettings& settings,
         const std::function<void(const KernelTiming&)>& timed)
      : cases_(cases), settings_(settings), timed_(timed) {}

  void run(size_t index, benchmark::State& state) {
    if (!rotation_ || index != index_) {
      rotation_.reset();
      rotation_ = std::make_unique<Rotation>(cases_[index], settings_.cold_bytes);
      index_ = index;
    }
    rotation_->run(state);
  }

  bool ReportContext(const Context&) override { return true; }

  // Comes once with the repetitions and once with their statistics.
  void ReportRuns(const std::vector<Run>& runs) override {
    if (runs.front().run_type != Run::RT_Aggregate) return;
    KernelTiming timing;
    timing.index = index_;
    timing.operand_bytes = rotation_->bytes();
    for (const Run& run : runs) {
      const double seconds =
          run.GetAdjustedCPUTime() / benchmark::GetTimeUnitMultiplier(run.time_unit);
      if (run.aggregate_name == "median") timing.median_s = seconds;
      if (run.aggregate_name == "min") timing.min_s = seconds;
      if (run.aggregate_name == "max") timing.max_s = seconds;
    }
    rotation_.reset();  // what timed() measures may need the memory
    timed_(timing);
  }

 private:
  const std::vector<KernelCase>& cases_;
  const KernelTimingSettings& settings_;
  const std::function<void(const KernelTiming&)>& timed_;
  size_t index_ = 0;
  std::unique_ptr<Rotation> rotation_;
};

// What benchmark::RegisterBenchmark makes of a function, which clang-tidy takes for a leak.
class CaseBenchmark : public benchmark::internal::Benchmark {
 public:
  CaseBenchmark(const std::string& name, Runner& runner, size_t index)
      : Benchmark(name.c_str()), runner_(runner), index_(index) {}

  void Run(benchmark::State& state) override { runner_.run(index_, state); }

 private:
  Runner& runner_;
  size_t index_;
};

double least(const std::vector<double>& times) { return *std::ranges::min_element(times); }
double most(const std::vector<double>& times) { return *std::ranges::max_element(times); }

}  // namespace

void time_kernels(const std::vector<KernelCase>& cases, const KernelTimingSettings& settings,
                  const std::function<void(const KernelTiming&)>& timed) {
  Runner runner(cases, settings, timed);
  benchmark::ClearRegisteredBenchmarks();
  for (size_t i = 0; i < cases.size(); ++i) {
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): the library's list owns it.
    benchmark::internal::RegisterBenchmarkInternal(new CaseBenchmark(cases[i].name, runner, i))
        ->MinTime(settings.least_s)
        ->Repetitions(static_cast<int>(settings.repetitions))
        ->ComputeStatistics("min", least)
        ->ComputeStatistics("max", most);
  }
  benchmark::RunSpecifiedBenchmarks(&runner, "all");
  benchmark::ClearRegisteredBenchmarks();
}

}  // namespace weft
