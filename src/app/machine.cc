#include "app/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <vector>

#include "app/build_info.h"
#include "kernels/fma_peak.h"
#include "kernels/gemm.h"
#include "program/program.h"

namespace weft {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr double kMeasuredSeconds = 0.015;
constexpr int kRepetitions = 5;  // the best one counts: other processes only ever slow it down

// Rounds of multiply_add that take about kMeasuredSeconds on the calling thread.
int64_t calibrated_rounds() {
  for (int64_t rounds = 1 << 14;; rounds *= 2) {
    const Clock::time_point start = Clock::now();
    multiply_add(rounds);
    const double seconds = seconds_since(start);
    if (seconds > 0.1 * kMeasuredSeconds) {
      return static_cast<int64_t>(static_cast<double>(rounds) * kMeasuredSeconds / seconds);
    }
  }
}

// One op per thread. From the first start to the last end counts, so threads that did not run at
// the same time lower the result instead of raising it.
class PeakProgram {
 public:
  explicit PeakProgram(int threads)
      : rounds_(calibrated_rounds()), results_(static_cast<size_t>(threads)) {
    for (size_t i = 0; i < results_.size(); ++i) {
      const std::string name = fmt::format("peak[{}]", i);
      float* result = &results_[i];
      const TileId tile =
          tiles_.add({name, reinterpret_cast<std::byte*>(result), 1, sizeof(float), sizeof(float)});
      program_.add({.name = name, .reads = {}, .writes = {tile}, .run = [this, result](std::byte*) {
                      *result = multiply_add(rounds_);
                    }});
    }
  }

  const Program& program() const { return program_; }
  double flops() const {
    return static_cast<double>(multiply_add_flops(rounds_)) * static_cast<double>(results_.size());
  }

 private:
  int64_t rounds_;
  std::vector<float> results_;
  TileTable tiles_;
  Program program_{"peak", tiles_};
};

}  // namespace

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

double measure_peak_flops(const Executor& executor) {
  const PeakProgram peak(executor.threads());
  const std::unique_ptr<PreparedProgram> prepared = executor.prepare(peak.program());
  prepared->run();  // starts the threads
  double best = 0.;
  for (int i = 0; i < kRepetitions; ++i) {
    const Clock::time_point start = Clock::now();
    prepared->run();
    best = std::max(best, peak.flops() / seconds_since(start));
  }
  return best;
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
      "MPI       none\n",
      kVersion, kGitCommit, kCompiler, kBuildType, gemm_description(), openmp_runtime());
}

}  // namespace weft
