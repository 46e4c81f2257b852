#include "timeline/run_counters.h"

#include <algorithm>

namespace weft {
namespace {

// The means over slots of a quantity that is constant between changes.
class SlotMeans {
 public:
  SlotMeans(const OpSpan& whole, size_t slots)
      : begin_ns_(double(whole.begin_ns)),
        width_ns_(double(whole.end_ns - whole.begin_ns) / double(slots)),
        partial_(slots),
        full_(slots + 1) {}

  void add(int64_t begin_ns, int64_t end_ns, double amount) {
    if (begin_ns >= end_ns) return;
    change(begin_ns, amount);
    change(end_ns, -amount);
  }

  std::vector<double> means() const {
    std::vector<double> means;
    double level = 0.;
    for (size_t slot = 0; slot < partial_.size(); ++slot) {
      level += full_[slot];
      means.push_back(std::max(level + partial_[slot], 0.));  // rounding may leave less than 0
    }
    return means;
  }

  int64_t begin_of(size_t slot) const {
    return static_cast<int64_t>(begin_ns_ + width_ns_ * double(slot));
  }

 private:
  // Changes the quantity from at_ns on: in part of that slot, and in all later slots.
  void change(int64_t at_ns, double by) {
    const double slots = (double(at_ns) - begin_ns_) / width_ns_;
    const size_t slot = std::min(static_cast<size_t>(slots), partial_.size() - 1);
    partial_[slot] += by * (double(slot + 1) - slots);
    full_[slot + 1] += by;
  }

  double begin_ns_, width_ns_;
  std::vector<double> partial_, full_;  // by slot
};

// When the last of these predecessors ended.
int64_t ready_ns(const std::vector<uint32_t>& predecessors, const TracedRun& run,
                 int64_t begin_ns) {
  for (const uint32_t before : predecessors)
    begin_ns = std::max(begin_ns, run.spans[before].end_ns);
  return begin_ns;
}

}  // namespace

RunCounters run_counters(const TracedProgram& program, const TracedRun& run, size_t slots) {
  const OpSpan whole = whole_span(run);
  if (whole.begin_ns >= whole.end_ns) return {};
  SlotMeans ready(whole, slots), gb_per_s(whole, slots);
  for (size_t i = 0; i < run.spans.size(); ++i) {
    const OpSpan& span = run.spans[i];
    if (!span.ran()) continue;
    ready.add(ready_ns(program.predecessors[i], run, whole.begin_ns), span.begin_ns, 1.);
    const TracedOp& op = program.ops[i];
    if (op.phase == Phase::kCommunication || op.waits || span.begin_ns == span.end_ns) continue;
    const double bytes = double(op.bytes_read + op.bytes_written);
    gb_per_s.add(span.begin_ns, span.end_ns, bytes / double(span.end_ns - span.begin_ns));
  }
  RunCounters counters{
      .begins_ns = {}, .ready_ops = ready.means(), .tile_gb_per_s = gb_per_s.means()};
  counters.begins_ns.reserve(slots);
  for (size_t slot = 0; slot < slots; ++slot) counters.begins_ns.push_back(ready.begin_of(slot));
  return counters;
}

}  // namespace weft
