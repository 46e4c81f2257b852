// Ranks with given times in whole milliseconds, easy to add up by hand.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "support/made_timeline.h"

namespace weft {

struct RankOp {
  std::string name;
  int64_t begin_ms = 0, end_ms = 0;
  int worker = 0;
  std::vector<uint32_t> after = {};  // ops that it depends on: places in the list
  Phase phase = Phase::kForward;
  bool waits = false;
};

inline RankOp transfer_start(std::string name, int64_t begin_ms, int64_t end_ms, int worker,
                             std::vector<uint32_t> after) {
  return {std::move(name),       begin_ms, end_ms, worker, std::move(after),
          Phase::kCommunication, false};
}
inline RankOp transfer_end(std::string name, int64_t begin_ms, int64_t end_ms, int worker,
                           std::vector<uint32_t> after) {
  return {std::move(name), begin_ms, end_ms, worker, std::move(after), Phase::kCommunication, true};
}

inline RankTimeline made_rank(int rank, int workers, const std::vector<RankOp>& ops) {
  constexpr int64_t kNanoseconds = 1'000'000;
  std::vector<MadeOp> made;
  for (const RankOp& op : ops) {
    made.push_back({.kind = op.name,
                    .after = op.after,
                    .worker = op.worker,
                    .begin_ns = op.begin_ms * kNanoseconds,
                    .end_ns = op.end_ms * kNanoseconds,
                    .phase = op.phase,
                    .waits = op.waits});
  }
  RankTimeline timeline = made_timeline(made, workers);
  timeline.rank = rank;
  return timeline;
}

// Adds a program of these ops, and a run of it as the next step.
inline void add_run(RankTimeline& rank, const std::vector<RankOp>& ops) {
  RankTimeline next = made_rank(rank.rank, rank.workers, ops);
  next.runs[0].step = rank.runs.back().step + 1;
  next.runs[0].program = static_cast<uint32_t>(rank.programs.size());
  rank.programs.push_back(std::move(next.programs[0]));
  rank.runs.push_back(std::move(next.runs[0]));
}

}  // namespace weft
