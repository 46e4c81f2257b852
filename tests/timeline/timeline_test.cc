#include "timeline/timeline.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "support/error_of.h"
#include "support/made_timeline.h"
#include "support/word_tiles.h"

namespace weft {
namespace {

RankTimeline two_ops() {
  return made_timeline(
      {{.kind = "a[0]", .after = {}, .begin_ns = 100, .end_ns = 170, .bytes = 6, .flops = 24.},
       {.kind = "b",
        .after = {0},
        .worker = 1,
        .begin_ns = 180,
        .end_ns = 200,
        .phase = Phase::kCommunication,
        .waits = true}});
}

// Compares everything in a timeline.
void expect_equal(const RankTimeline& a, const RankTimeline& b) {
  EXPECT_EQ(a.rank, b.rank);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.workers, b.workers);
  ASSERT_EQ(a.programs.size(), b.programs.size());
  for (size_t p = 0; p < a.programs.size(); ++p) {
    EXPECT_EQ(a.programs[p].name, b.programs[p].name);
    EXPECT_EQ(a.programs[p].predecessors, b.programs[p].predecessors);
    ASSERT_EQ(a.programs[p].ops.size(), b.programs[p].ops.size());
    for (size_t i = 0; i < a.programs[p].ops.size(); ++i) {
      const TracedOp &x = a.programs[p].ops[i], &y = b.programs[p].ops[i];
      EXPECT_EQ(
          std::tie(x.name, x.phase, x.waits, x.bytes_read, x.bytes_written, x.flops, x.begun_by),
          std::tie(y.name, y.phase, y.waits, y.bytes_read, y.bytes_written, y.flops, y.begun_by));
    }
  }
  ASSERT_EQ(a.runs.size(), b.runs.size());
  for (size_t r = 0; r < a.runs.size(); ++r) {
    EXPECT_EQ(std::tie(a.runs[r].step, a.runs[r].program),
              std::tie(b.runs[r].step, b.runs[r].program));
    ASSERT_EQ(a.runs[r].spans.size(), b.runs[r].spans.size());
    for (size_t i = 0; i < a.runs[r].spans.size(); ++i) {
      const OpSpan &x = a.runs[r].spans[i], &y = b.runs[r].spans[i];
      EXPECT_EQ(std::tie(x.begin_ns, x.end_ns, x.worker), std::tie(y.begin_ns, y.end_ns, y.worker));
    }
  }
}

TEST(Timeline, KeepsOfAProgramWhatAReaderNeeds) {
  TileTable tiles;
  std::array<std::byte, 100> bytes = {};
  const TileId x = tiles.add({"x", bytes.data(), 3, 5, 10});
  const TileId y = tiles.add({"y", bytes.data() + 50, 1, 7, 7});
  Program program("step", tiles);
  program.add({{.kind = "first"}, Phase::kData, {}, {x}, [](auto*) {}});
  Op second{{.kind = "second"}, Phase::kUpdate, {x}, {y}, [](auto*) {}};
  second.poll = [] { return true; };
  second.flops = 24.;
  program.add(second);

  const TracedProgram kept = traced(program);

  EXPECT_EQ(kept.name, "step");
  ASSERT_EQ(kept.ops.size(), 2u);
  EXPECT_EQ(kept.ops[0].name.text(), "first");
  EXPECT_EQ(kept.ops[0].phase, Phase::kData);
  EXPECT_FALSE(kept.ops[0].waits);
  EXPECT_EQ(kept.ops[0].bytes_read, 0);
  EXPECT_EQ(kept.ops[0].bytes_written, 15);
  EXPECT_EQ(kept.ops[0].flops, 0.);
  EXPECT_TRUE(kept.ops[1].waits);
  EXPECT_EQ(kept.ops[1].flops, 24.);
  EXPECT_EQ(kept.ops[1].bytes_read, 15);
  EXPECT_EQ(kept.ops[1].bytes_written, 7);
  EXPECT_EQ(kept.predecessors, (std::vector<std::vector<uint32_t>>{{}, {0}}));
}

TEST(Timeline, KnowsWhichOpBeginsATransfer) {
  WordTiles tiles(2);
  Program program("step", tiles.table());
  Op start = make_op("sum/start", {}, {0});
  start.begins = OpName{.kind = "sum"};
  program.add(std::move(start));
  program.add(make_op("other", {}, {1}));
  Op finish = make_op("sum", {}, {0});
  finish.poll = [] { return true; };
  program.add(std::move(finish));
  Op lonely = make_op("lonely", {}, {0});
  lonely.poll = [] { return true; };
  program.add(std::move(lonely));

  const TracedProgram kept = traced(program);

  EXPECT_EQ(kept.ops[0].begun_by, TracedOp::kNone);
  EXPECT_EQ(kept.ops[1].begun_by, TracedOp::kNone);
  EXPECT_EQ(kept.ops[2].begun_by, 0u);
  EXPECT_EQ(kept.ops[3].begun_by, TracedOp::kNone);
}

TEST(Timeline, HasTheIndependentRunsOfTheProgram) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    MixingProgram mixing(seed, 60, 80);

    EXPECT_EQ(independent_runs(traced(mixing.program())), independent_runs(mixing.program()));
  }
  WordTiles tiles(1);
  EXPECT_EQ(independent_runs(traced(Program("empty", tiles.table()))), (std::vector<size_t>{0, 0}));
}

TEST(Timeline, BeginsAndEndsWithTheOpsThatRan) {
  RankTimeline timeline = two_ops();
  timeline.programs[0].ops.push_back({.name = {.kind = "never"}});
  timeline.programs[0].predecessors.emplace_back();
  timeline.runs[0].spans.emplace_back();

  EXPECT_EQ(whole_span(timeline.runs[0]).begin_ns, 100);
  EXPECT_EQ(whole_span(timeline.runs[0]).end_ns, 200);
  EXPECT_EQ(begin_ns(timeline), 100);
  EXPECT_FALSE(whole_span(TracedRun{.spans = std::vector<OpSpan>(3)}).ran());
  EXPECT_EQ(begin_ns(RankTimeline{}), std::numeric_limits<int64_t>::max());
}

TEST(Timeline, OfSeveralRanksHasOneOrigin) {
  RankTimeline late = two_ops();
  late.rank = 1;
  shift(late, 1000);
  late.runs[0].spans[1] = {};  // never ran, and so never moves

  const Timeline timeline = from_first_op({late, two_ops()});

  ASSERT_EQ(timeline.ranks.size(), 2u);
  EXPECT_EQ(timeline.ranks[0].runs[0].spans[0].begin_ns, 1000);
  EXPECT_FALSE(timeline.ranks[0].runs[0].spans[1].ran());
  EXPECT_EQ(timeline.ranks[1].runs[0].spans[0].begin_ns, 0);
  EXPECT_EQ(end_ns(timeline), 1070);
  EXPECT_EQ(end_ns(from_first_op({RankTimeline{}})), 0);
}

TEST(TimelineBytes, AreReadAsTheyWereWritten) {
  RankTimeline timeline = two_ops();
  timeline.rank = 7;
  timeline.runs.push_back(timeline.runs[0]);
  timeline.runs[1].step = int64_t{1} << 40;

  expect_equal(timeline_from_bytes(to_bytes(timeline)), timeline);
  expect_equal(timeline_from_bytes(to_bytes(RankTimeline{})), RankTimeline{});
}

TEST(TimelineBytes, AreRefusedWhereTheyAreNotWhole) {
  const std::string whole = to_bytes(two_ops());

  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    EXPECT_NE(error_of([&] { timeline_from_bytes(whole.substr(0, bytes)); }), "") << bytes;
  }
  EXPECT_TRUE(mentions(error_of([&] { timeline_from_bytes(whole + "x"); }), {"timeline", "more"}));
}

// If any one byte changes, the bytes are refused, or the timeline read from them is consistent.
TEST(TimelineBytes, AreRefusedOrHoldATimeline) {
  const std::string whole = to_bytes(two_ops());

  for (size_t at = 0; at < whole.size(); ++at) {
    for (const char byte : {'\0', '\1', '\x7F', '\xFF'}) {
      std::string bytes = whole;
      bytes[at] = byte;
      RankTimeline read;
      if (!error_of([&] { read = timeline_from_bytes(bytes); }).empty()) continue;
      for (const TracedRun& run : read.runs) {
        ASSERT_LT(run.program, read.programs.size());
        ASSERT_EQ(run.spans.size(), read.programs[run.program].ops.size());
        for (const OpSpan& span : run.spans) ASSERT_LT(span.worker, read.workers);
      }
    }
  }
}

}  // namespace
}  // namespace weft
