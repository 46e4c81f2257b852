// Timelines that are made up, with times that are easy to add up by hand.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "observe/timeline.h"

namespace weft {

inline constexpr int64_t kMillisecond = 1'000'000;

// Times in milliseconds.
struct MadeOp {
  std::string name;
  int64_t begin = 0, end = 0;
  int worker = 0;
  std::vector<uint32_t> after = {};  // ops that it depends on: places in the list
  Phase phase = Phase::kForward;
  bool waits = false;
};

inline MadeOp transfer_start(std::string name, int64_t begin, int64_t end, int worker,
                             std::vector<uint32_t> after) {
  return {std::move(name), begin, end, worker, std::move(after), Phase::kCommunication, false};
}
inline MadeOp transfer_end(std::string name, int64_t begin, int64_t end, int worker,
                           std::vector<uint32_t> after) {
  return {std::move(name), begin, end, worker, std::move(after), Phase::kCommunication, true};
}

// Adds a program of these ops, and a run of it, as the next step.
inline void add_run(RankTimeline& rank, const std::vector<MadeOp>& ops) {
  TracedProgram program{.name = "step", .ops = {}, .predecessors = {}};
  TracedRun run{.step = static_cast<int64_t>(rank.runs.size()) + 1,
                .program = static_cast<uint32_t>(rank.programs.size()),
                .spans = {}};
  for (const MadeOp& op : ops) {
    TracedOp& traced = program.ops.emplace_back();
    traced.name = op.name;
    traced.phase = op.phase;
    traced.waits = op.waits;
    program.predecessors.push_back(op.after);
    run.spans.push_back({op.begin * kMillisecond, op.end * kMillisecond, op.worker});
  }
  rank.programs.push_back(std::move(program));
  rank.runs.push_back(std::move(run));
}

inline RankTimeline made_rank(int rank, int workers, const std::vector<MadeOp>& ops) {
  RankTimeline made;
  made.rank = rank;
  made.workers = workers;
  add_run(made, ops);
  return made;
}

}  // namespace weft
