#include "timeline/critical_path.h"

#include <algorithm>
#include <optional>
#include <tuple>

namespace weft {
namespace {

struct EndOf {
  const TracedRun& run;
  int64_t operator()(uint32_t op) const { return run.spans[op].end_ns; }
};

class Path {
 public:
  Path(const TracedProgram& program, const TracedRun& run)
      : program_(program), run_(run), by_worker_(ops_by_worker()) {}

  std::optional<CriticalOp> last() const {
    std::optional<CriticalOp> last;
    for (uint32_t op = 0; op < run_.spans.size(); ++op) {
      if (!span(op).ran()) continue;
      if (!last || span(op).end_ns > span(last->op).end_ns) last = CriticalOp{op};
    }
    return last;
  }

  // Sets the cause of `op` and returns the op that it waited for, if there is one.
  std::optional<CriticalOp> before(CriticalOp& op) const {
    std::optional<CriticalOp> latest;
    const auto consider = [&](uint32_t candidate, Cause cause) {
      if (!comes_before(candidate, op.op)) return;
      if (latest && span(candidate).end_ns <= span(latest->op).end_ns) return;
      latest = CriticalOp{candidate};
      op.cause = cause;
    };
    for (const uint32_t predecessor : program_.predecessors[op.op]) {
      consider(predecessor, Cause::kDependence);
    }
    const std::vector<uint32_t>& neighbours = by_worker_[worker(op.op)];
    auto next = std::ranges::upper_bound(neighbours, span(op.op).begin_ns, {}, EndOf{run_});
    while (next != neighbours.begin()) {
      --next;
      if (!comes_before(*next, op.op)) continue;  // ops that took no time may end together
      consider(*next, Cause::kSameWorker);
      break;
    }
    return latest;
  }

 private:
  const OpSpan& span(uint32_t op) const { return run_.spans[op]; }
  size_t worker(uint32_t op) const { return static_cast<size_t>(span(op).worker); }
  // A strict order, so that every path is finite, whatever the times are.
  bool comes_before(uint32_t a, uint32_t b) const {
    if (!span(a).ran() || span(a).end_ns > span(b).begin_ns) return false;
    return std::tuple(span(a).begin_ns, a) < std::tuple(span(b).begin_ns, b);
  }

  // The ops that occupied each worker, by their ends.
  std::vector<std::vector<uint32_t>> ops_by_worker() const {
    std::vector<std::vector<uint32_t>> ops;
    std::vector<uint32_t> waiting;
    for (uint32_t op = 0; op < run_.spans.size(); ++op) {
      if (!span(op).ran()) continue;
      if (worker(op) >= ops.size()) ops.resize(worker(op) + 1);
      if (program_.ops[op].waits) {
        waiting.push_back(op);
      } else {
        ops[worker(op)].push_back(op);
      }
    }
    for (std::vector<uint32_t>& of_worker : ops) std::ranges::sort(of_worker, {}, EndOf{run_});
    std::vector<uint32_t> occupying;  // ops that waited and kept their worker
    for (const uint32_t op : waiting) {
      // The first op of the worker that ends after this one began.
      const std::vector<uint32_t>& others = ops[worker(op)];
      const auto next = std::ranges::upper_bound(others, span(op).begin_ns, {}, EndOf{run_});
      if (next == others.end() || span(*next).begin_ns >= span(op).end_ns) occupying.push_back(op);
    }
    for (const uint32_t op : occupying) {
      std::vector<uint32_t>& others = ops[worker(op)];
      others.insert(std::ranges::upper_bound(others, span(op).end_ns, {}, EndOf{run_}), op);
    }
    return ops;
  }

  const TracedProgram& program_;
  const TracedRun& run_;
  std::vector<std::vector<uint32_t>> by_worker_;
};

}  // namespace

std::vector<CriticalOp> critical_path(const TracedProgram& program, const TracedRun& run) {
  const Path path(program, run);
  std::vector<CriticalOp> ops;
  for (std::optional<CriticalOp> next = path.last(); next;) {
    std::optional<CriticalOp> before = path.before(*next);
    ops.push_back(*next);
    next = before;
  }
  std::ranges::reverse(ops);
  return ops;
}

}  // namespace weft
