#include "measure/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <numeric>
#include <vector>

#include "comm/connect.h"
#include "kernels/bf16_peak.h"
#include "kernels/fma_peak.h"
#include "kernels/gemm.h"
#include "measure/build_info.h"
#include "measure/thread_clock.h"
#include "program/program.h"

namespace weft {
namespace {

constexpr double kMeasuredSeconds = 0.015;
constexpr int kRepetitions = 12;  // the best one counts: other processes only ever slow it down

// Arithmetic on registers alone, and its number of FLOPs.
struct Arithmetic {
  std::function<float(int64_t rounds)> run;
  std::function<int64_t(int64_t rounds)> flops;
};

// Returns the number of rounds that take about kMeasuredSeconds on the calling thread.
int64_t calibrated_rounds(const Arithmetic& arithmetic) {
  for (int64_t rounds = 1 << 14;; rounds *= 2) {
    const double start = thread_seconds();
    arithmetic.run(rounds);
    const double seconds = thread_seconds() - start;
    if (seconds > 0.1 * kMeasuredSeconds) {
      return static_cast<int64_t>(static_cast<double>(rounds) * kMeasuredSeconds / seconds);
    }
  }
}

// A program with one op per thread, so that threads that share the units of a core slow each other
// down as in a step. Each op stores its rate in FLOP/s.
class PeakProgram {
 public:
  PeakProgram(int threads, const Arithmetic& arithmetic)
      : arithmetic_(arithmetic),
        rounds_(calibrated_rounds(arithmetic)),
        rates_(static_cast<size_t>(threads)) {
    for (size_t i = 0; i < rates_.size(); ++i) {
      const std::string name = fmt::format("peak[{}]", i);
      double* rate = &rates_[i];
      const TileId tile =
          tiles_.add({name, reinterpret_cast<std::byte*>(rate), 1, sizeof(double), sizeof(double)});
      program_.add({.name = OpName{.kind = name},
                    .reads = {},
                    .writes = {tile},
                    .run = [this, rate](std::byte*) {
                      const double start = thread_seconds();
                      sink_ = arithmetic_.run(rounds_);
                      *rate = static_cast<double>(arithmetic_.flops(rounds_)) /
                              (thread_seconds() - start);
                    }});
    }
  }

  const Program& program() const { return program_; }
  double flops() const { return std::accumulate(rates_.begin(), rates_.end(), 0.); }

 private:
  Arithmetic arithmetic_;
  int64_t rounds_;
  std::vector<double> rates_;
  std::atomic<float> sink_{0.f};
  TileTable tiles_;
  Program program_{"peak", tiles_};
};

double measure_peak(const Executor& executor, const Arithmetic& arithmetic) {
  const PeakProgram peak(executor.threads(), arithmetic);
  const std::unique_ptr<PreparedProgram> prepared = executor.prepare(peak.program());
  prepared->run();  // starts the threads
  double best = 0.;
  for (int i = 0; i < kRepetitions; ++i) {
    prepared->run();
    best = std::max(best, peak.flops());
  }
  // Threads beyond the number of cores add no arithmetic.
  return best * std::min(1., double(available_cpus()) / double(executor.threads()));
}

}  // namespace

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

double measure_peak_flops(const Executor& executor, Precision precision) {
  if (precision == Precision::kBf16) {
    return measure_peak_bf16_flops(executor, resolve(Bf16Backend::kAuto));
  }
  return measure_peak(executor, {multiply_add, multiply_add_flops});
}

double measure_peak_bf16_flops(const Executor& executor, Bf16Backend backend) {
  return measure_peak(
      executor, {[backend](int64_t rounds) { return multiply_add_bf16(backend, rounds); },
                 [backend](int64_t rounds) { return multiply_add_bf16_flops(backend, rounds); }});
}

std::string gemm_description(Precision precision) {
  return precision == Precision::kBf16 ? bf16_description() : gemm_description();
}

std::string version() { return kVersion; }

std::string git_commit() { return kGitCommit; }

std::string version_text() {
  return fmt::format(
      "weft {}\n"
      "commit    {}\n"
      "compiler  {} ({})\n"
      "GEMM      {}\n"
      "OpenMP    {}\n"
      "MPI       {}\n",
      kVersion, kGitCommit, kCompiler, kBuildType, gemm_description(), openmp_runtime(),
      mpi_library());
}

}  // namespace weft
