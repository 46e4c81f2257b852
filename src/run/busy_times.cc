#include "run/busy_times.h"

#include <algorithm>

#include "base/now_ns.h"

namespace weft {
namespace {

double milliseconds(int64_t ns) { return 1e-6 * double(ns); }

}  // namespace

// Each op has a span of its own, so that workers write without a lock.
class BusyTimes::Run : public Observer {
 public:
  explicit Run(const Program& program) : program_(program), spans_(program.ops().size()) {}

  void forward_to(Observer* other) { other_ = other; }

  void op_started(size_t op, int worker) noexcept override {
    spans_[op].begin = spans_[op].end = now_ns();
    if (other_ != nullptr) other_->op_started(op, worker);
  }
  void op_ended(size_t op, int worker) noexcept override {
    spans_[op].end = now_ns();
    if (other_ != nullptr) other_->op_ended(op, worker);
  }

  int64_t overlap_ns(const Intervals& transfers) const {
    int64_t ns = 0;
    for (size_t op = 0; op < spans_.size(); ++op) {
      const bool computes = program_.ops()[op].phase != Phase::kCommunication;
      if (computes) ns += common_length(spans_[op], transfers);
    }
    return ns;
  }
  void clear() { std::ranges::fill(spans_, Interval{}); }

 private:
  const Program& program_;
  std::vector<Interval> spans_;
  Observer* other_ = nullptr;
};

BusyTimes::BusyTimes() = default;
BusyTimes::~BusyTimes() = default;

// If a program runs several times in a step, its last run counts: only the programs of middle
// micro-steps do, and they exchange nothing.
Observer* BusyTimes::watch(const Program& program, Observer* other) {
  std::unique_ptr<Run>& run = runs_[&program];
  if (!run) run = std::make_unique<Run>(program);
  run->forward_to(other);
  return run.get();
}

Overlap BusyTimes::overlap_with(std::vector<Interval> transfers, int workers) const {
  const Intervals under_way = joined(std::move(transfers));
  int64_t hidden = 0;
  for (const auto& [program, run] : runs_) hidden += run->overlap_ns(under_way);
  return {milliseconds(length(under_way)), milliseconds(hidden) / double(workers)};
}

void BusyTimes::clear() {
  for (const auto& [program, run] : runs_) run->clear();
}

}  // namespace weft
