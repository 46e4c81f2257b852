#include "measure/kernel_timing.h"

#include <algorithm>
#include <vector>

#include "measure/thread_clock.h"

namespace weft {
namespace {

// The operands of a case, and the calls that take turns.
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

  // Returns the seconds of the next `n` calls, without those of restoring operands.
  double run(int64_t n) {
    double seconds = 0., start = thread_seconds();
    for (int64_t i = 0; i < n; ++i) {
      calls_[next_].run();
      if (++next_ < calls_.size()) continue;
      next_ = 0;
      if (!must_restore(++rounds_)) continue;
      seconds += thread_seconds() - start;
      restore();
      start = thread_seconds();
    }
    return seconds + thread_seconds() - start;
  }

 private:
  // The first run of a kernel reads its code, and touches its scratch for the first time.
  void warm_up() {
    for (const KernelCall& call : calls_) call.run();
    if (calls_.front().restore) restore();
  }

  bool must_restore(int64_t rounds) const {
    const KernelCall& first = calls_.front();
    return first.restore && rounds % first.runs_before_restore == 0;
  }

  void restore() {
    for (const KernelCall& call : calls_) call.restore();
  }

  Operands operands_;
  std::vector<KernelCall> calls_;
  size_t next_ = 0;
  int64_t rounds_ = 0;
};

// Aims beyond the least time, since the next run may be faster, but grows at most tenfold, since a
// short run is a poor estimate.
int64_t more_calls(int64_t calls, double seconds, double least_s) {
  constexpr double kMargin = 1.4, kMostGrowth = 10.;
  const double growth = std::min(kMostGrowth, kMargin * least_s / std::max(seconds, 1e-9));
  return std::max(calls + 1, static_cast<int64_t>(growth * static_cast<double>(calls)));
}

}  // namespace

KernelTiming time_kernel(const KernelCase& kernel, const KernelTimingSettings& settings) {
  Rotation rotation(kernel, settings.cold_bytes);
  int64_t calls = 1;
  double seconds = rotation.run(calls);
  while (seconds < settings.least_s) {
    calls = more_calls(calls, seconds, settings.least_s);
    seconds = rotation.run(calls);
  }
  std::vector<double> call_s = {seconds / static_cast<double>(calls)};
  for (int64_t i = 1; i < settings.repetitions; ++i) {
    call_s.push_back(rotation.run(calls) / static_cast<double>(calls));
  }
  return {rotation.bytes(), spread_of(std::move(call_s))};
}

}  // namespace weft
