#include "train/busy_times.h"

#include <algorithm>

namespace weft {
namespace {

using Clock = CommunicationMeter::Clock;
using Span = CommunicationMeter::Span;

double milliseconds(Clock::duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

// The same points in time, in order and apart.
std::vector<Span> joined(std::vector<Span> spans) {
  std::ranges::sort(spans, {}, &Span::begin);
  std::vector<Span> apart;
  for (const Span& span : spans) {
    if (!apart.empty() && span.begin <= apart.back().end) {
      apart.back().end = std::max(apart.back().end, span.end);
    } else {
      apart.push_back(span);
    }
  }
  return apart;
}

// How much of the span lies in the others, which are in order and apart.
double common_ms(const Span& span, const std::vector<Span>& others) {
  double ms = 0.;
  auto at = std::ranges::partition_point(others, [&](const Span& o) { return o.end < span.begin; });
  for (; at != others.end() && at->begin < span.end; ++at) {
    ms += milliseconds(std::min(span.end, at->end) - std::max(span.begin, at->begin));
  }
  return ms;
}

}  // namespace

// Each op has a place of its own, so workers do not wait for each other.
class BusyTimes::Run : public Observer {
 public:
  explicit Run(const Program& program) : program_(program), spans_(program.ops().size()) {}

  void tell(Observer* other) { other_ = other; }

  void op_started(size_t op, int worker) noexcept override {
    spans_[op].begin = spans_[op].end = Clock::now();
    if (other_ != nullptr) other_->op_started(op, worker);
  }
  void op_ended(size_t op, int worker) noexcept override {
    spans_[op].end = Clock::now();
    if (other_ != nullptr) other_->op_ended(op, worker);
  }

  double common_with(const std::vector<Span>& transfers) const {
    double ms = 0.;
    for (size_t op = 0; op < spans_.size(); ++op) {
      const bool works = program_.ops()[op].phase != Phase::kCommunication;
      if (works) ms += common_ms(spans_[op], transfers);
    }
    return ms;
  }
  void clear() { std::ranges::fill(spans_, Span{}); }

 private:
  const Program& program_;
  std::vector<Span> spans_;
  Observer* other_ = nullptr;
};

BusyTimes::BusyTimes() = default;
BusyTimes::~BusyTimes() = default;

// Of a program that runs several times in a step, as those of middle micro-steps do, the last run
// counts: they exchange nothing.
Observer* BusyTimes::watch(const Program& program, Observer* other) {
  std::unique_ptr<Run>& run = runs_[&program];
  if (!run) run = std::make_unique<Run>(program);
  run->tell(other);
  return run.get();
}

Overlap BusyTimes::overlap_with(std::vector<Span> transfers, int workers) const {
  const std::vector<Span> under_way = joined(std::move(transfers));
  Overlap overlap;
  for (const Span& span : under_way) overlap.all_ms += milliseconds(span.end - span.begin);
  for (const auto& [program, run] : runs_) overlap.hidden_ms += run->common_with(under_way);
  overlap.hidden_ms /= double(workers);
  return overlap;
}

void BusyTimes::clear() {
  for (const auto& [program, run] : runs_) run->clear();
}

}  // namespace weft
