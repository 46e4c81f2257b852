#include "timeline/recorder.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <thread>

namespace weft {
namespace {

// A program of n ops, each of which writes another tile.
class TraceTest : public testing::Test {
 protected:
  Program make_program(int n) {
    Program program("step", tiles_);
    for (int i = 0; i < n; ++i) {
      const std::string name = "block" + std::to_string(i) + "/op[0]";
      const TileId tile = tiles_.add({name, &bytes_[static_cast<size_t>(i)], 1, 1, 1});
      program.add({{.kind = "op", .layer = i, .tile = "0"},
                   i % 2 == 0 ? Phase::kForward : Phase::kUpdate,
                   {},
                   {tile},
                   [](auto*) {}});
    }
    return program;
  }

  TileTable tiles_;
  std::array<std::byte, 1000> bytes_ = {};
};

TEST_F(TraceTest, KeepsWhoRanAnOpAndWhen) {
  const Program program = make_program(2);
  Trace trace;
  Observer* observer = trace.begin_run(7, program);
  observer->op_started(1, 0);
  observer->op_started(0, 2);
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  observer->op_ended(0, 2);
  observer->op_ended(1, 0);

  const RankTimeline timeline = trace.timeline(1, "rank 1 on there", 4);

  EXPECT_EQ(timeline.rank, 1);
  EXPECT_EQ(timeline.name, "rank 1 on there");
  EXPECT_EQ(timeline.workers, 4);
  ASSERT_EQ(timeline.programs.size(), 1u);
  EXPECT_EQ(timeline.programs[0].name, "step");
  EXPECT_EQ(timeline.programs[0].ops[1].name.text(), "block1/op[0]");
  ASSERT_EQ(timeline.runs.size(), 1u);
  EXPECT_EQ(timeline.runs[0].step, 7);
  const OpSpan &first = timeline.runs[0].spans[0], &second = timeline.runs[0].spans[1];
  EXPECT_EQ(first.worker, 2);
  EXPECT_EQ(second.worker, 0);
  EXPECT_GE(first.end_ns - first.begin_ns, 2'000'000);
  EXPECT_LE(second.begin_ns, first.begin_ns);
  EXPECT_GE(second.end_ns, first.end_ns);
}

TEST_F(TraceTest, KeepsAProgramOnce) {
  const Program one = make_program(1), two = make_program(1);
  Trace trace;
  for (const Program* program : {&one, &two, &one}) {
    Observer* observer = trace.begin_run(1, *program);
    observer->op_started(0, 0);
    observer->op_ended(0, 0);
  }

  const RankTimeline timeline = trace.timeline(0, "rank 0", 1);

  EXPECT_EQ(timeline.programs.size(), 2u);
  ASSERT_EQ(timeline.runs.size(), 3u);
  EXPECT_EQ(timeline.runs[0].program, timeline.runs[2].program);
  EXPECT_NE(timeline.runs[0].program, timeline.runs[1].program);
  EXPECT_GE(timeline.runs[1].spans[0].begin_ns, timeline.runs[0].spans[0].end_ns);
}

// The second op began and never ended; in the second run, no op began.
TEST_F(TraceTest, LeavesOutOpsAndRunsThatNeverEnded) {
  const Program program = make_program(3);
  Trace trace;
  Observer* observer = trace.begin_run(1, program);
  observer->op_started(1, 0);
  observer->op_ended(1, 0);
  observer->op_started(2, 0);
  trace.begin_run(2, program);

  const RankTimeline timeline = trace.timeline(0, "rank 0", 1);

  ASSERT_EQ(timeline.runs.size(), 1u);
  EXPECT_FALSE(timeline.runs[0].spans[0].ran());
  EXPECT_TRUE(timeline.runs[0].spans[1].ran());
  EXPECT_FALSE(timeline.runs[0].spans[2].ran());
  EXPECT_EQ(timeline.runs[0].spans[2].begin_ns, 0);
}

TEST_F(TraceTest, AnOpTakesSomeTime) {
  const Program program = make_program(1000);
  Trace trace;
  Observer* observer = trace.begin_run(1, program);
  for (size_t op = 0; op < 1000; ++op) {
    observer->op_started(op, 0);
    observer->op_ended(op, 0);
  }

  const RankTimeline timeline = trace.timeline(0, "rank 0", 1);

  for (const OpSpan& span : timeline.runs[0].spans) ASSERT_GT(span.end_ns, span.begin_ns);
}

TEST_F(TraceTest, OutlivesItsPrograms) {
  Trace trace;
  {
    const Program program = make_program(1);
    Observer* observer = trace.begin_run(1, program);
    observer->op_started(0, 0);
    observer->op_ended(0, 0);
  }

  EXPECT_EQ(trace.timeline(0, "rank 0", 1).programs[0].ops[0].name.text(), "block0/op[0]");
}

TEST_F(TraceTest, WorkersRecordAtTheSameTime) {
  constexpr int kOps = 997, kWorkers = 5;
  const Program program = make_program(kOps);
  Trace trace;
  Observer* observer = trace.begin_run(1, program);

  std::vector<std::thread> workers;
  for (int worker = 0; worker < kWorkers; ++worker) {
    workers.emplace_back([=] {
      for (size_t op = static_cast<size_t>(worker); op < kOps; op += kWorkers) {
        observer->op_started(op, worker);
        observer->op_ended(op, worker);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();

  const RankTimeline timeline = trace.timeline(0, "rank 0", kWorkers);
  for (size_t op = 0; op < kOps; ++op) {
    ASSERT_TRUE(timeline.runs[0].spans[op].ran()) << op;
    ASSERT_EQ(timeline.runs[0].spans[op].worker, static_cast<int>(op % kWorkers));
  }
}

TEST_F(TraceTest, OfNothingHasNoRuns) {
  EXPECT_TRUE(Trace().timeline(0, "rank 0", 3).runs.empty());
}

}  // namespace
}  // namespace weft
