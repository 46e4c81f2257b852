#include "predict/simulate.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "predict/longest_path.h"
#include "support/error_of.h"
#include "support/word_tiles.h"

namespace weft {
namespace {

// A program given by its dependences: op i writes tile i and reads the tiles of the ops that it
// waits for.
class Graph {
 public:
  explicit Graph(size_t most_ops) : tiles_(most_ops + 1), channel_(TileId(most_ops)) {}

  // Returns the op's index.
  uint32_t add(double seconds, const std::vector<TileId>& waits_for = {},
               double memory_bytes = 0.) {
    const auto i = TileId(costs_.size());
    program_.add(make_op("op" + std::to_string(i), waits_for, {i}));
    costs_.push_back({.seconds = seconds, .memory_bytes = memory_bytes});
    return i;
  }
  // Adds a transfer of the tile of op `of`. Returns the index of the op that begins it; the next op
  // waits for its end, and ops that use the result wait for that one.
  uint32_t add_transfer(double seconds, TileId of) {
    const auto i = TileId(costs_.size());
    const std::string name = "transfer" + std::to_string(i);
    Op start = make_op(name + "/start", {of}, {i, channel_});
    start.begins = OpName{.kind = name};
    start.phase = Phase::kCommunication;
    program_.add(std::move(start));
    costs_.push_back({.transfer_s = seconds});
    Op finish = make_op(name, {i}, {i + 1});
    finish.phase = Phase::kCommunication;
    finish.poll = [] { return true; };
    program_.add(std::move(finish));
    costs_.push_back({});
    return i;
  }

  TracedProgram graph() const { return traced(program_); }
  const std::vector<OpCost>& costs() const { return costs_; }

  SimulatedRun run(const SimulatedMachine& machine) const {
    return simulate(graph(), costs_, machine);
  }
  double seconds(Scheduling scheduling, int workers) const {
    return run({.scheduling = scheduling, .workers = workers}).seconds;
  }

 private:
  WordTiles tiles_;
  TileId channel_;
  Program program_{"graph", tiles_.table()};
  std::vector<OpCost> costs_;
};

constexpr auto kSequential = Scheduling::kListOrder;
constexpr auto kForkJoin = Scheduling::kForkJoin;
constexpr auto kTasks = Scheduling::kDataflow;

TEST(Simulate, AChainTakesTheSumOnAnyNumberOfWorkers) {
  Graph g(3);
  g.add(1.);
  g.add(2., {0});
  g.add(4., {1});

  EXPECT_EQ(g.seconds(kSequential, 1), 7.);
  EXPECT_EQ(g.seconds(kForkJoin, 4), 7.);
  EXPECT_EQ(g.seconds(kTasks, 4), 7.);
  EXPECT_EQ(longest_path(g.graph(), g.costs()).ops, (std::vector<uint32_t>{0, 1, 2}));
}

// One op, three that wait for it, and one that waits for them: 1 + max(5, 2 + 3) + 1 on two
// workers.
TEST(Simulate, AForkSharesItsWork) {
  Graph g(5);
  g.add(1.);
  g.add(5., {0});
  g.add(2., {0});
  g.add(3., {0});
  g.add(1., {1, 2, 3});

  EXPECT_EQ(g.seconds(kSequential, 1), 12.);
  EXPECT_EQ(g.seconds(kTasks, 1), 12.);
  EXPECT_EQ(g.seconds(kTasks, 2), 7.);
  EXPECT_EQ(g.seconds(kForkJoin, 2), 7.);
  EXPECT_EQ(longest_path(g.graph(), g.costs()).seconds, 7.);
}

// Two chains, of 1 + 4 and 4 + 1: a barrier between their halves costs 3.
TEST(Simulate, ABarrierWaitsForTheSlowestAndDataflowDoesNot) {
  Graph g(4);
  g.add(1.);
  g.add(4.);
  g.add(4., {0});
  g.add(1., {1});

  EXPECT_EQ(g.seconds(kForkJoin, 2), 8.);
  EXPECT_EQ(g.seconds(kTasks, 2), 5.);
  EXPECT_EQ(g.run({.scheduling = kForkJoin, .workers = 2, .barrier_s = 0.5}).seconds, 8.5);
}

// Three ops of 2 on two workers: in list order, the third after one of the first.
TEST(Simulate, WorkersTakeOpsInListOrderAsTheyComeFree) {
  Graph g(3);
  for (const double seconds : {3., 1., 2.}) g.add(seconds);

  const SimulatedRun run = g.run({.workers = 2});

  EXPECT_EQ(run.seconds, 3.);
  EXPECT_EQ(run.spans[2].begin_s, 1.);
  EXPECT_EQ(run.spans[2].worker, 1);
  EXPECT_EQ(run.useful_s, 6.);
}

TEST(Simulate, EachOpCostsItsWorkerTheOverhead) {
  Graph g(2);
  g.add(1.);
  g.add(1., {0});

  const SimulatedRun run = g.run({.workers = 2, .op_overhead_s = 0.25});

  EXPECT_EQ(run.seconds, 2.5);
  EXPECT_EQ(run.useful_s, 2.);
  EXPECT_EQ(run.spans[1].begin_s, 1.5);
}

// Op 0 (1 s) is sent (4 s) while op 3 (5 s) computes; op 4 (1 s) needs what was sent.
class OneTransfer : public Graph {
 public:
  OneTransfer() : Graph(5) {
    add(1.);
    add_transfer(4., 0);
    add(5.);
    add(1., {2});
  }
};

TEST(Simulate, TasksHideATransferBehindOtherOps) {
  const OneTransfer g;
  const SimulatedRun run = g.run({.workers = 1});
  const SimulatedOverlap overlap = overlap_of(run, g.graph(), 1);

  EXPECT_EQ(run.seconds, 7.);  // 1, sent from 1 to 5, 5 until 6, 1
  ASSERT_EQ(run.transfers.size(), 1u);
  EXPECT_EQ(run.transfers[0].begin_s, 1.);
  EXPECT_EQ(run.transfers[0].end_s, 5.);
  EXPECT_EQ(overlap.all_s, 4.);
  EXPECT_EQ(overlap.hidden_s, 4.);
}

// The op that waits is in the same run as the long op.
TEST(Simulate, ForkJoinHidesATransferBehindOpsOfTheSameRun) {
  const OneTransfer g;

  EXPECT_EQ(g.seconds(kForkJoin, 1), 7.);
}

TEST(Simulate, TheListInOrderStaysWithAnOpThatWaits) {
  const OneTransfer g;
  const SimulatedRun run = g.run({.scheduling = kSequential});

  EXPECT_EQ(run.seconds, 11.);  // 1, 4 waiting, 5, 1
  EXPECT_EQ(overlap_of(run, g.graph(), 1).hidden_s, 0.);
}

// A single worker sees the end of a transfer when its op ends; a second, idle worker sees it at
// once.
TEST(Simulate, AnIdleWorkerNoticesTheEndOfATransfer) {
  const OneTransfer g;

  EXPECT_EQ(g.run({.workers = 1}).spans[2].end_s, 6.);
  EXPECT_EQ(g.run({.workers = 2}).spans[2].end_s, 5.);
  EXPECT_EQ(g.run({.workers = 2}).seconds, 6.);
}

TEST(Simulate, TheLinkCarriesOneTransferAtATime) {
  Graph g(6);
  g.add(1.);
  g.add(1.);
  g.add_transfer(3., 0);
  g.add_transfer(3., 1);

  const SimulatedRun run = g.run({.workers = 2});

  ASSERT_EQ(run.transfers.size(), 2u);
  EXPECT_EQ(run.transfers[0].begin_s, 1.);
  EXPECT_EQ(run.transfers[1].begin_s, 4.);
  EXPECT_EQ(run.seconds, 7.);
  // Only the link orders the two: the dependences would allow both at once.
  EXPECT_EQ(longest_path(g.graph(), g.costs()).seconds, 4.);
  EXPECT_EQ(longest_path(g.graph(), g.costs()).transfer_s, 3.);
}

TEST(Simulate, ATransferWaitsForTheOtherRanks) {
  const OneTransfer g;
  std::vector<double> not_before(5, 0.);
  not_before[1] = 3.;

  EXPECT_EQ(simulate(g.graph(), g.costs(), {.workers = 1}, not_before).seconds, 8.);
}

// Four ops of 1 s that need 10 bytes/s each take twice as long on memory of 20 bytes/s.
TEST(Simulate, OpsShareMemoryThatIsTooSlowForAll) {
  Graph g(5);
  for (int i = 0; i < 4; ++i) g.add(1., {}, 10.);
  g.add(3.);  // needs no memory

  const SimulatedRun run = g.run({.workers = 5, .memory_bytes_per_s = 20.});

  EXPECT_DOUBLE_EQ(run.spans[0].end_s, 2.);
  EXPECT_DOUBLE_EQ(run.spans[3].end_s, 2.);
  EXPECT_DOUBLE_EQ(run.seconds, 3.);
  EXPECT_DOUBLE_EQ(g.run({.workers = 2, .memory_bytes_per_s = 20.}).spans[3].end_s, 2.);
}

// The first second is shared with a short op; the rest is not.
TEST(Simulate, AnOpIsSlowOnlyWhileOthersUseTheMemory) {
  Graph g(2);
  g.add(2., {}, 20.);
  g.add(0.5, {}, 5.);

  const SimulatedRun run = g.run({.workers = 2, .memory_bytes_per_s = 10.});

  EXPECT_DOUBLE_EQ(run.spans[1].end_s, 1.);
  EXPECT_DOUBLE_EQ(run.spans[0].end_s, 2.5);
}

TEST(Simulate, AProgramWithoutOpsTakesNoTime) {
  EXPECT_EQ(Graph(1).seconds(kTasks, 2), 0.);
  EXPECT_EQ(longest_path(Graph(1).graph(), {}).seconds, 0.);
}

TEST(Simulate, KnowsWhatAnOpWaitsFor) {
  WordTiles tiles(1);
  Program program("lonely", tiles.table());
  Op op = make_op("arrives", {}, {0});
  op.poll = [] { return true; };
  program.add(std::move(op));

  EXPECT_TRUE(mentions(error_of([&] { simulate(traced(program), {{}}, {}); }), {"'arrives'"}));
}

// Random graphs: the time is at least the longest path and the evenly shared work, at most that of
// one worker, and the same every time.
TEST(Simulate, IsNeverFasterThanPathAndWorkAllow) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Draw draw(seed);
    Graph g(60);
    double work = 0.;
    for (uint32_t i = 0; i < 60; ++i) {
      const double seconds = 1. + double(draw.below(9));
      work += seconds;
      g.add(seconds, i == 0 ? std::vector<TileId>{} : draw.tiles(draw.below(3), i));
    }
    const double path = longest_path(g.graph(), g.costs()).seconds;
    EXPECT_EQ(g.seconds(kSequential, 1), work);
    for (const Scheduling model : {kForkJoin, kTasks}) {
      EXPECT_EQ(g.seconds(model, 1), work);
      for (const int workers : {2, 3, 7}) {
        const double seconds = g.seconds(model, workers);
        EXPECT_GE(seconds, path);
        EXPECT_GE(seconds, work / workers);
        EXPECT_LE(seconds, work);
        EXPECT_EQ(seconds, g.seconds(model, workers));
      }
      // A greedy schedule takes at most twice the best time (Graham), if no barrier holds workers.
      if (model == kTasks) {
        EXPECT_LE(g.seconds(model, 3), work / 3 + path);
      }
    }
    EXPECT_EQ(g.seconds(kTasks, 60), path);
  }
}

TEST(Simulate, BecomesARunOfATimeline) {
  const OneTransfer g;
  RankTimeline timeline;
  append_run(timeline, g.graph(), g.run({.workers = 2}), 10.);

  ASSERT_EQ(timeline.runs.size(), 1u);
  EXPECT_EQ(timeline.programs[0].ops[1].name.text(), "transfer1/start");
  const std::vector<OpSpan>& spans = timeline.runs[0].spans;
  EXPECT_EQ(spans[0].end_ns - spans[0].begin_ns, 1'000'000'000);
  EXPECT_EQ(spans[4].end_ns - spans[0].begin_ns, 6'000'000'000);
  for (const OpSpan& span : spans) EXPECT_TRUE(span.ran());
}

TEST(LongestPath, SaysWhichKindsItConsistsOf) {
  const OneTransfer g;
  const LongestPath path = longest_path(g.graph(), g.costs());

  EXPECT_EQ(path.seconds, 6.);
  EXPECT_EQ(seconds_by_kind(path, g.graph(), g.costs()),
            (std::map<std::string, double>{
                {"op0", 1.}, {"op4", 1.}, {"transfer", 4.}, {"transfer1/start", 0.}}));
}

}  // namespace
}  // namespace weft
