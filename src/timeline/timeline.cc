#include "timeline/timeline.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

namespace weft {
namespace {

int64_t bytes_of(const std::vector<TileId>& ids, const TileTable& tiles) {
  size_t bytes = 0;
  for (const TileId id : ids) bytes += tiles[id].rows * tiles[id].row_bytes;
  return static_cast<int64_t>(bytes);
}

}  // namespace

TracedProgram traced(const Program& program) {
  TracedProgram kept{.name = program.name(), .ops = {}, .predecessors = dependences(program)};
  kept.ops.reserve(program.ops().size());
  std::unordered_map<std::string, uint32_t> begun;  // the op that begins it, by its name
  for (const Op& op : program.ops()) {
    TracedOp& traced_op = kept.ops.emplace_back();
    traced_op = {.name = op.name,
                 .phase = op.phase,
                 .waits = bool(op.poll),
                 .bytes_read = bytes_of(op.reads, program.tiles()),
                 .bytes_written = bytes_of(op.writes, program.tiles()),
                 .flops = op.flops};
    if (op.begins) begun.emplace(op.begins->text(), uint32_t(kept.ops.size()) - 1);
    if (!traced_op.waits) continue;
    const auto start = begun.find(op.name.text());
    if (start != begun.end()) traced_op.begun_by = start->second;
  }
  return kept;
}

std::vector<size_t> independent_runs(const TracedProgram& program) {
  std::vector<size_t> begins = {0};
  for (size_t i = 0; i < program.ops.size(); ++i) {
    const std::vector<uint32_t>& earlier = program.predecessors[i];
    if (std::ranges::any_of(earlier, [&](uint32_t p) { return p >= begins.back(); })) {
      begins.push_back(i);
    }
  }
  begins.push_back(program.ops.size());
  return begins;
}

OpSpan whole_span(const TracedRun& run) {
  OpSpan whole;
  for (const OpSpan& span : run.spans) {
    if (!span.ran()) continue;
    whole.begin_ns = whole.ran() ? std::min(whole.begin_ns, span.begin_ns) : span.begin_ns;
    whole.end_ns = std::max(whole.end_ns, span.end_ns);
  }
  return whole;
}

int64_t begin_ns(const RankTimeline& timeline) {
  int64_t begin = std::numeric_limits<int64_t>::max();
  for (const TracedRun& run : timeline.runs) {
    if (const OpSpan whole = whole_span(run); whole.ran()) begin = std::min(begin, whole.begin_ns);
  }
  return begin;
}

void shift(RankTimeline& timeline, int64_t ns) {
  for (TracedRun& run : timeline.runs) {
    for (OpSpan& span : run.spans) {
      if (!span.ran()) continue;
      span.begin_ns += ns;
      span.end_ns += ns;
    }
  }
}

Timeline from_first_op(std::vector<RankTimeline> ranks) {
  int64_t origin = std::numeric_limits<int64_t>::max();
  for (const RankTimeline& rank : ranks) origin = std::min(origin, begin_ns(rank));
  for (RankTimeline& rank : ranks) shift(rank, -origin);
  return {.ranks = std::move(ranks)};
}

int64_t end_ns(const Timeline& timeline) {
  int64_t end = 0;
  for (const RankTimeline& rank : timeline.ranks) {
    for (const TracedRun& run : rank.runs) end = std::max(end, whole_span(run).end_ns);
  }
  return end;
}

}  // namespace weft
