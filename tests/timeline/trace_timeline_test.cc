#include <gtest/gtest.h>

#include "support/temp_directory.h"
#include "timeline/efficiency.h"
#include "timeline/made_ranks.h"
#include "timeline/perfetto_trace.h"
#include "timeline/trace_file.h"

namespace weft {
namespace {

class TraceTimeline : public testing::Test {
 protected:
  TraceFile file_of(const Timeline& timeline) const {
    write_perfetto(directory_ / "trace.json", timeline);
    return read_trace_file(directory_ / "trace.json");
  }
  Timeline read_back(const Timeline& timeline) const { return timeline_of(file_of(timeline)); }

  TempDirectory directory_;
};

// Two ranks that exchange something in their first step; the second has a program of its own.
Timeline two_ranks() {
  RankTimeline first = made_rank(0, 3,
                                 {{"a", 0, 10},
                                  {"b", 2, 8, 1},
                                  transfer_start("send", 10, 11, 0, {0}),
                                  transfer_end("arrive", 11, 30, 0, {2})});
  RankTimeline second = made_rank(1, 2,
                                  {{"a", 4, 20},
                                   transfer_start("send", 20, 21, 1, {0}),
                                   transfer_end("arrive", 21, 30, 1, {1})});
  add_run(first, {{"update", 40, 50}, {"a", 50, 60, 2}});
  add_run(second, {{"a", 35, 70}});
  return {{first, second}};
}

TEST_F(TraceTimeline, HasTheRanksProgramsAndRunsOfTheOneThatWasWritten) {
  const Timeline written = two_ranks();

  const Timeline read = read_back(written);

  ASSERT_EQ(read.ranks.size(), 2u);
  for (size_t r = 0; r < 2; ++r) {
    const RankTimeline &a = written.ranks[r], &b = read.ranks[r];
    EXPECT_EQ(a.rank, b.rank);
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.workers, b.workers);
    ASSERT_EQ(a.runs.size(), b.runs.size());
    for (size_t i = 0; i < a.runs.size(); ++i) {
      EXPECT_EQ(a.runs[i].step, b.runs[i].step);
      EXPECT_EQ(whole_span(a.runs[i]).begin_ns, whole_span(b.runs[i]).begin_ns);
      EXPECT_EQ(whole_span(a.runs[i]).end_ns, whole_span(b.runs[i]).end_ns);
      EXPECT_EQ(a.runs[i].spans.size(), b.runs[i].spans.size());
    }
  }
}

TEST_F(TraceTimeline, HasTheFactsOfOps) {
  RankTimeline rank = made_timeline({{"qkv/forward", {}, 1, 100, 300}});
  TracedOp& op = rank.programs[0].ops[0];
  op.name = {"classifier/logits", 7, "qkvw", 2, "r0,c1"};
  op.phase = Phase::kBackward;
  op.flops = 98304.;

  const Timeline read = read_back({{rank}});

  ASSERT_EQ(read.ranks[0].programs.size(), 1u);
  EXPECT_EQ(read.ranks[0].programs[0].name, "step");
  ASSERT_EQ(read.ranks[0].programs[0].ops.size(), 1u);
  const TracedOp& same = read.ranks[0].programs[0].ops[0];
  EXPECT_EQ(same.name, op.name);
  EXPECT_EQ(same.phase, Phase::kBackward);
  EXPECT_FALSE(same.waits);
  EXPECT_EQ(same.flops, 98304.);
  EXPECT_EQ(read.ranks[0].runs[0].spans[0].worker, 1);
}

TEST_F(TraceTimeline, RunsOfOneProgramShareIt) {
  RankTimeline rank = made_rank(0, 1, {{"a", 1, 2}, {"b", 2, 3}});
  rank.runs.push_back(rank.runs[0]);
  rank.runs[1].step = 4;
  for (OpSpan& span : rank.runs[1].spans) {
    span.begin_ns += 10'000'000;
    span.end_ns += 10'000'000;
  }

  const Timeline read = read_back({{rank}});

  EXPECT_EQ(read.ranks[0].programs.size(), 1u);
  ASSERT_EQ(read.ranks[0].runs.size(), 2u);
  EXPECT_EQ(read.ranks[0].runs[1].spans[0].begin_ns, 11'000'000);
}

// So the report shows what `weft train --trace` prints.
TEST_F(TraceTimeline, HasTheActivityOfTheOneThatWasWritten) {
  const Timeline written = two_ranks();

  const Activity read = activity(read_back(written)), expected = activity(written);

  EXPECT_EQ(read.steps, expected.steps);
  EXPECT_EQ(read.run_s, expected.run_s);
  EXPECT_EQ(read.useful_s, expected.useful_s);
  EXPECT_EQ(read.computing_s, expected.computing_s);
  for (size_t phase = 0; phase < kPhases; ++phase) {
    EXPECT_EQ(read.phases[phase].busy_s, expected.phases[phase].busy_s);
    EXPECT_EQ(read.phases[phase].idle_s, expected.phases[phase].idle_s);
  }
}

TEST_F(TraceTimeline, LeavesOutWhatIsInNoRun) {
  TraceFile file = file_of({{made_rank(0, 1, {{"a", 1, 2}, {"b", 2, 3}})}});
  std::erase_if(file.slices, [&](const TraceSlice& slice) { return file.is_run(slice); });

  const Timeline read = timeline_of(file);

  EXPECT_TRUE(read.ranks[0].runs.empty());
  EXPECT_EQ(activity(read).run_s, 0.);
}

TEST_F(TraceTimeline, OfNothingIsEmpty) { EXPECT_TRUE(timeline_of(TraceFile{}).ranks.empty()); }

}  // namespace
}  // namespace weft
