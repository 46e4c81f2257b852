#include "timeline/recorder.h"

#include <algorithm>

#include "base/now_ns.h"

namespace weft {

class Trace::Run : public Observer {
 public:
  Run(int64_t step, uint32_t program, size_t ops)
      : run_{.step = step, .program = program, .spans = std::vector<OpSpan>(ops)} {}

  void op_started(size_t op, int worker) noexcept override {
    run_.spans[op].worker = worker;
    run_.spans[op].begin_ns = now_ns();
  }
  void op_ended(size_t op, int) noexcept override { run_.spans[op].end_ns = now_ns(); }

  // An op lasts at least 1 ns, even if the clock did not advance. One that never ended did not run.
  TracedRun traced() const {
    TracedRun run = run_;
    for (OpSpan& span : run.spans) {
      if (span.ran()) {
        span.end_ns = std::max(span.end_ns, span.begin_ns + 1);
      } else {
        span = {};
      }
    }
    return run;
  }

 private:
  TracedRun run_;
};

Trace::Trace() = default;
Trace::~Trace() = default;

Observer* Trace::begin_run(int64_t step, const Program& program) {
  const auto [known, is_new] = known_.try_emplace(&program, programs_.size());
  if (is_new) programs_.push_back(traced(program));
  return runs_.emplace_back(std::make_unique<Run>(step, known->second, program.ops().size())).get();
}

RankTimeline Trace::timeline(int rank, const std::string& name, int workers) const {
  RankTimeline timeline{
      .rank = rank, .name = name, .workers = workers, .programs = programs_, .runs = {}};
  for (const auto& recorded : runs_) {
    TracedRun run = recorded->traced();
    if (!whole_span(run).ran()) continue;
    timeline.runs.push_back(std::move(run));
  }
  return timeline;
}

}  // namespace weft
