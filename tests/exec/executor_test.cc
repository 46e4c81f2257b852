#include "exec/executor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/error_of.h"
#include "support/wait_for.h"
#include "support/word_tiles.h"

namespace weft {
namespace {

// These tests also run under ThreadSanitizer. Unless a test is about ops that run at the same time,
// its ops share nothing but tiles. ThreadSanitizer then reports a dependence that an executor
// misses as a data race.

struct Model {
  std::string name;
  int threads;
};

void PrintTo(const Model& model, std::ostream* out) {
  *out << model.name << " on " << model.threads << " threads";
}

// The executors of the table that meet `is_meant`, with each of these thread counts.
template <typename IsMeant>
std::vector<Model> models_with(std::initializer_list<int> thread_counts, const IsMeant& is_meant) {
  std::vector<Model> models;
  for (const ExecutorTraits& traits : executors()) {
    if (!std::invoke(is_meant, traits)) continue;
    for (int threads : thread_counts) models.push_back({traits.name, threads});
  }
  return models;
}

std::vector<Model> parallel_models(std::initializer_list<int> thread_counts) {
  return models_with(thread_counts, &ExecutorTraits::is_parallel);
}

std::vector<Model> dataflow_models(std::initializer_list<int> thread_counts) {
  return models_with(thread_counts, [](const ExecutorTraits& traits) {
    return traits.scheduling == Scheduling::kDataflow;
  });
}

std::vector<Model> all_models() {
  std::vector<Model> models = parallel_models({1, 2, 3, 7});
  const auto is_single = [](const ExecutorTraits& traits) { return !traits.is_parallel(); };
  for (const Model& model : models_with({1}, is_single)) models.push_back(model);
  return models;
}

std::string name_of(const testing::TestParamInfo<Model>& model) {
  std::string name = model.param.name + "_" + std::to_string(model.param.threads);
  std::ranges::replace(name, '-', '_');
  return name;
}

class ExecutorTest : public testing::TestWithParam<Model> {
 protected:
  int threads() const { return GetParam().threads; }

  std::unique_ptr<Executor> executor_ = make_executor(GetParam().name, GetParam().threads);
};

// Every executor, with one thread and with more threads than the machine may have.
class AnyExecutor : public ExecutorTest {};
INSTANTIATE_TEST_SUITE_P(Models, AnyExecutor, testing::ValuesIn(all_models()), name_of);

class ParallelExecutor : public ExecutorTest {};
INSTANTIATE_TEST_SUITE_P(Models, ParallelExecutor, testing::ValuesIn(parallel_models({2, 3, 7})),
                         name_of);

class TasksOnThreads : public ExecutorTest {};
INSTANTIATE_TEST_SUITE_P(Models, TasksOnThreads, testing::ValuesIn(dataflow_models({2, 3, 7})),
                         name_of);

TEST_P(AnyExecutor, TellsItsNameAndThreads) {
  EXPECT_EQ(executor_->name(), GetParam().name);
  EXPECT_EQ(executor_->threads(), threads());
}

TEST_P(AnyExecutor, LeavesTheBitsOfListOrder) {
  for (const size_t tiles : {20, 300}) {
    for (uint64_t seed = 0; seed < 2; ++seed) {
      MixingProgram mixing(seed, tiles, 400);
      const std::vector<uint64_t> expected = mixing.expected_memory();

      executor_->prepare(mixing.program())->run();

      EXPECT_EQ(mixing.memory(), expected) << tiles << " tiles, seed " << seed;
    }
  }
}

TEST_P(AnyExecutor, APreparedProgramRunsManyTimes) {
  constexpr int kRuns = 5;
  MixingProgram mixing(5, 300, 400);
  const std::vector<uint64_t> expected = mixing.expected_memory(kRuns);
  const auto prepared = executor_->prepare(mixing.program());

  for (int run = 0; run < kRuns; ++run) prepared->run();

  EXPECT_EQ(mixing.memory(), expected);
}

TEST_P(AnyExecutor, PreparedProgramsTakeTurnsOnTheSameTiles) {
  WordTiles tiles(1);
  Program plus("plus", tiles.table()), times("times", tiles.table());
  plus.add(make_op("plus 1", {}, {0}, [&](std::byte*) { tiles[0][0] += 1; }));
  times.add(make_op("times 10", {}, {0}, [&](std::byte*) { tiles[0][0] *= 10; }));
  const auto prepared_plus = executor_->prepare(plus), prepared_times = executor_->prepare(times);

  for (int round = 0; round < 3; ++round) {
    prepared_plus->run();
    prepared_times->run();
  }

  EXPECT_EQ(tiles[0][0], 1110u);
}

TEST_P(AnyExecutor, AProgramWithoutOpsRuns) {
  const WordTiles tiles(3);
  const TileTable no_tiles;
  const Program empty("empty", tiles.table()), nothing("nothing at all", no_tiles);

  EXPECT_NO_THROW(executor_->prepare(empty)->run());
  EXPECT_NO_THROW(executor_->prepare(nothing)->run());
}

TEST_P(AnyExecutor, RunsEveryOpOnce) {
  constexpr size_t kOps = 1000;
  WordTiles tiles(kOps);
  Program program("count", tiles.table());
  for (TileId i = 0; i < kOps; ++i) {
    program.add(make_op("op" + std::to_string(i), {i / 2}, {i},
                        [&tiles, i](std::byte*) { tiles[i][0] += 1; }));
  }

  executor_->prepare(program)->run();

  for (size_t i = 0; i < kOps; ++i) EXPECT_EQ(tiles[i][0], 1u) << "op " << i;
}

// ---- Calls of the observer.

// Numbers the calls in their order. The counter is relaxed on purpose: it must not order the ops
// for ThreadSanitizer.
class Witness : public Observer {
 public:
  struct Sighting {
    int starts = 0, ends = 0;
    int start_worker = -1, end_worker = -1;
    size_t started = 0, ended = 0;
  };

  explicit Witness(size_t ops) : seen_(ops) {}

  void op_started(size_t op, int worker) noexcept override {
    Sighting& s = seen_[op];
    ++s.starts;
    s.start_worker = worker;
    s.started = next();
  }
  void op_ended(size_t op, int worker) noexcept override {
    Sighting& s = seen_[op];
    ++s.ends;
    s.end_worker = worker;
    s.ended = next();
  }

  const std::vector<Sighting>& seen() const { return seen_; }

 private:
  size_t next() { return calls_.fetch_add(1, std::memory_order_relaxed); }

  std::vector<Sighting> seen_;
  std::atomic<size_t> calls_{0};
};

TEST_P(AnyExecutor, TheObserverSeesEveryOpStartOnceAndThenEndOnTheSameWorker) {
  MixingProgram mixing(1, 300, 500);
  Witness witness(mixing.program().ops().size());

  executor_->prepare(mixing.program())->run(&witness);

  for (const Witness::Sighting& op : witness.seen()) {
    EXPECT_EQ(op.starts, 1);
    EXPECT_EQ(op.ends, 1);
    EXPECT_LT(op.started, op.ended);
    EXPECT_GE(op.start_worker, 0);
    EXPECT_LT(op.start_worker, threads());
    EXPECT_EQ(op.end_worker, op.start_worker);
  }
}

TEST_P(AnyExecutor, NoOpStartsBeforeAnEarlierOneThatItConflictsWithHasEnded) {
  MixingProgram mixing(2, 150, 500);
  const std::vector<Op>& ops = mixing.program().ops();
  Witness witness(ops.size());

  executor_->prepare(mixing.program())->run(&witness);

  size_t conflicts = 0;
  for (size_t later = 0; later < ops.size(); ++later) {
    for (size_t earlier = 0; earlier < later; ++earlier) {
      if (!conflict(ops[earlier], ops[later])) continue;
      ++conflicts;
      EXPECT_LT(witness.seen()[earlier].ended, witness.seen()[later].started)
          << ops[earlier].name.text() << ", " << ops[later].name.text();
    }
  }
  EXPECT_GT(conflicts, 1000u);
}

TEST_P(AnyExecutor, AWorkerRunsOneOpAtATime) {
  MixingProgram mixing(3, 300, 500);
  Witness witness(mixing.program().ops().size());

  executor_->prepare(mixing.program())->run(&witness);

  std::vector<Witness::Sighting> by_time = witness.seen();
  std::ranges::sort(by_time, {}, &Witness::Sighting::started);
  std::vector<size_t> free_at(static_cast<size_t>(threads()), 0);
  for (const Witness::Sighting& op : by_time) {
    size_t& free = free_at.at(static_cast<size_t>(op.start_worker));
    EXPECT_GE(op.started, free);
    free = op.ended;
  }
}

TEST_P(AnyExecutor, AnObserverIsForgottenAfterItsRun) {
  MixingProgram mixing(4, 50, 100);
  Witness witness(mixing.program().ops().size());
  const auto prepared = executor_->prepare(mixing.program());

  prepared->run(&witness);
  prepared->run();

  EXPECT_EQ(witness.seen()[0].starts, 1);
}

// ---- Scratch.

// Fills all of its scratch with its own number, gives other ops time to disturb it, and checks that
// every byte is unchanged.
void use_scratch(std::byte* scratch, size_t bytes, size_t number, std::span<uint64_t> tile) {
  const auto mark = static_cast<std::byte>(number);
  std::fill_n(scratch, bytes, mark);
  std::this_thread::yield();
  tile[0] = static_cast<uint64_t>(std::count(scratch, scratch + bytes, mark));
  tile[1] = reinterpret_cast<uintptr_t>(scratch) % 64;
}

TEST_P(AnyExecutor, ScratchIsAlignedLargeEnoughAndPrivateWhileAnOpRuns) {
  constexpr size_t kOps = 300;
  // The largest is a whole number of pages, so that a smaller buffer would fault.
  const auto bytes_of = [](size_t op) { return op % 7 == 3 ? size_t{16384} : 1 + op * 37; };
  WordTiles tiles(kOps);
  Program program("scratch", tiles.table());
  for (TileId i = 0; i < kOps; ++i) {
    program.add(make_op(
        "op" + std::to_string(i), {}, {i},
        [&tiles, i, n = bytes_of(i)](std::byte* scratch) { use_scratch(scratch, n, i, tiles[i]); },
        bytes_of(i)));
  }

  executor_->prepare(program)->run();

  for (size_t i = 0; i < kOps; ++i) {
    EXPECT_EQ(tiles[i][0], bytes_of(i)) << "op " << i;
    EXPECT_EQ(tiles[i][1], 0u) << "op " << i;
  }
}

// ---- Ops that run at the same time: they meet outside the tiles, through atomics.

TEST_P(ParallelExecutor, IndependentOpsRunAtOnceEachWithItsOwnScratch) {
  WordTiles tiles(2);
  Program program("meeting", tiles.table());
  std::atomic<int> present{0};
  std::atomic<int> met{0};
  for (TileId i : {0u, 1u}) {
    program.add(make_op(
        "op" + std::to_string(i), {}, {i},
        [&, i](std::byte* scratch) {
          ++present;
          if (wait_for([&] { return present == 2; })) ++met;
          tiles[i][0] = reinterpret_cast<uintptr_t>(scratch);
        },
        64));
  }

  executor_->prepare(program)->run();

  EXPECT_EQ(met, 2);
  EXPECT_NE(tiles[0][0], tiles[1][0]);
}

// `slow` does not end before `successor` has started, which a barrier after {slow, quick} would
// prevent.
TEST_P(TasksOnThreads, AnOpStartsAsSoonAsItsTilesAreReadyWhateverElseStillRuns) {
  const WordTiles tiles(3);
  Program program("dataflow", tiles.table());
  std::atomic<bool> successor_started{false};
  bool overlapped = false;
  program.add(make_op("slow", {}, {0}, [&](std::byte*) {
    overlapped = wait_for([&] { return successor_started.load(); });
  }));
  program.add(make_op("quick", {}, {1}));
  program.add(make_op("successor", {1}, {2}, [&](std::byte*) { successor_started = true; }));

  executor_->prepare(program)->run();

  EXPECT_TRUE(overlapped);
}

// ---- Ops that throw.

// A chain of ops whose middle op throws while `broken`. Op number i counts its runs in tile i.
class BreakableChain {
 public:
  BreakableChain() {
    add("before", {}, {0});
    add("first", {0}, {1});
    program_.add(make_op("breaks", {1}, {2}, [this](std::byte*) {
      if (broken) throw failure("breaks", "as it was told to");
      tiles_[2][0] += 1;
    }));
    add("dependent", {2}, {3});
    add("dependent of the dependent", {3}, {4});
  }

  const Program& program() const { return program_; }
  uint64_t runs(size_t op) { return tiles_[op][0]; }  // how often op number `op` has run

  bool broken = true;

 private:
  void add(const std::string& name, std::vector<TileId> reads, std::vector<TileId> writes) {
    const TileId counter = writes[0];
    program_.add(
        make_op(name, reads, writes, [this, counter](std::byte*) { tiles_[counter][0] += 1; }));
  }

  WordTiles tiles_{5};
  Program program_{"chain", tiles_.table()};
};

TEST_P(AnyExecutor, AnErrorSkipsDependentsAndIsRethrown) {
  BreakableChain chain;
  Witness witness(chain.program().ops().size());
  const auto prepared = executor_->prepare(chain.program());

  EXPECT_EQ(error_of([&] { prepared->run(&witness); }), "[breaks] as it was told to");

  EXPECT_EQ(chain.runs(0), 1u);
  EXPECT_EQ(chain.runs(1), 1u);
  EXPECT_EQ(chain.runs(3), 0u);
  EXPECT_EQ(chain.runs(4), 0u);
  for (size_t op : {3, 4}) EXPECT_EQ(witness.seen()[op].starts, 0);
}

TEST_P(AnyExecutor, TheObserverSeesAnOpThatThrowsEnd) {
  BreakableChain chain;
  Witness witness(chain.program().ops().size());

  EXPECT_THROW(executor_->prepare(chain.program())->run(&witness), Error);

  EXPECT_EQ(witness.seen()[2].starts, 1);
  EXPECT_EQ(witness.seen()[2].ends, 1);
}

TEST_P(AnyExecutor, AfterAnErrorTheProgramRunsAgain) {
  BreakableChain chain;
  const auto prepared = executor_->prepare(chain.program());
  for (int i = 0; i < 3; ++i) EXPECT_THROW(prepared->run(), Error);

  chain.broken = false;
  EXPECT_NO_THROW(prepared->run());

  EXPECT_EQ(chain.runs(0), 4u);
  EXPECT_EQ(chain.runs(2), 1u);
  EXPECT_EQ(chain.runs(4), 1u);
}

TEST_P(AnyExecutor, ExceptionsOfOtherTypesPassThrough) {
  const WordTiles tiles(1);
  Program program("other", tiles.table());
  program.add(make_op("out of range", {}, {0},
                      [](std::byte*) { throw std::out_of_range("not an Error of weft"); }));

  EXPECT_THROW(executor_->prepare(program)->run(), std::out_of_range);
}

TEST_P(AnyExecutor, OfTwoFailingOpsInAChainTheFirstErrorIsRethrown) {
  const WordTiles tiles(1);
  Program program("order", tiles.table());
  for (const char* name : {"first", "second", "third"}) {
    program.add(make_op(name, {}, {0}, [name](std::byte*) { throw failure(name, "failed"); }));
  }

  EXPECT_EQ(error_of([&] { executor_->prepare(program)->run(); }), "[first] failed");
}

// Both ops fail, and the later op in the list fails first in time.
TEST_P(ParallelExecutor, OfConcurrentFailuresTheEarliestInTheListIsRethrown) {
  class EndOfSecond : public Observer {
   public:
    void op_started(size_t, int) noexcept override {}
    void op_ended(size_t op, int) noexcept override {
      if (op == 1) ended = true;
    }
    std::atomic<bool> ended{false};
  };
  const WordTiles tiles(2);
  Program program("two errors", tiles.table());
  EndOfSecond second;
  std::atomic<bool> first_started{false};
  program.add(make_op("first", {}, {0}, [&](std::byte*) {
    first_started = true;
    wait_for([&] { return second.ended.load(); });
    throw failure("first", "failed");
  }));
  program.add(make_op("second", {}, {1}, [&](std::byte*) {
    wait_for([&] { return first_started.load(); });
    throw failure("second", "failed");
  }));

  EXPECT_EQ(error_of([&] { executor_->prepare(program)->run(&second); }), "[first] failed");

  EXPECT_TRUE(second.ended);
}

TEST_P(ParallelExecutor, AnErrorIsRethrownOnlyAfterEveryStartedOpHasEnded) {
  WordTiles tiles(2);
  Program program("slow", tiles.table());
  std::atomic<bool> slow_started{false}, failing{false};
  program.add(make_op("fails", {}, {0}, [&](std::byte*) {
    wait_for([&] { return slow_started.load(); });
    failing = true;
    throw failure("fails", "failed");
  }));
  program.add(make_op("slow", {}, {1}, [&](std::byte*) {
    slow_started = true;
    wait_for([&] { return failing.load(); });
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();  // time for run() to return too early
    tiles[1][0] = 1;
  }));

  EXPECT_EQ(error_of([&] { executor_->prepare(program)->run(); }), "[fails] failed");

  EXPECT_EQ(tiles[1][0], 1u);
}

// ---- Ops with a poll.

// A message that arrives `polls` polls after it was sent and then writes its value to a tile.
class Message {
 public:
  explicit Message(int polls) : polls_(polls) {}

  Op op(const std::string& name, WordTiles& tiles, TileId tile) {
    Op op = make_op(name, {}, {tile}, [this](std::byte*) { left_ = polls_; });
    op.phase = Phase::kCommunication;
    op.poll = [this, &tiles, tile] {
      if (--left_ > 0) return false;
      ++tiles[tile][0];
      return true;
    };
    return op;
  }

 private:
  int polls_;
  int left_ = 0;
};

TEST_P(AnyExecutor, AnOpWithAPollEndsWhenThePollReturnsTrue) {
  for (const int polls : {1, 2, 50}) {
    WordTiles tiles(3);
    Program program("message", tiles.table());
    Message message(polls);
    program.add(make_op("before", {}, {0}, [&](std::byte*) { tiles[0][0] += 5; }));
    program.add(message.op("message", tiles, 0));
    program.add(make_op("beside", {}, {1}, [&](std::byte*) { tiles[1][0] += 7; }));
    program.add(make_op("after", {0, 1}, {2},
                        [&](std::byte*) { tiles[2][0] = 100 * tiles[0][0] + tiles[1][0]; }));
    Witness witness(program.ops().size());
    const auto prepared = executor_->prepare(program);

    prepared->run(&witness);
    EXPECT_EQ(tiles[2][0], 607u);
    prepared->run();
    EXPECT_EQ(tiles[2][0], 1214u);

    EXPECT_EQ(witness.seen()[1].starts, 1);
    EXPECT_EQ(witness.seen()[1].ends, 1);
    EXPECT_LT(witness.seen()[1].ended, witness.seen()[3].started);
  }
}

// Messages among ops that do not commute must still leave the bits of list order.
TEST_P(AnyExecutor, OpsWithAPollKeepListOrder) {
  constexpr size_t kOps = 300, kTiles = 12;
  const auto run = [&](Executor& executor) {
    WordTiles tiles(kTiles);
    Program program("messages", tiles.table());
    Draw draw(7);
    std::vector<Message> messages(kOps, Message(1));
    for (size_t i = 0; i < kOps; ++i) {
      const auto tile = static_cast<TileId>(draw.below(kTiles));
      const std::string name = "op" + std::to_string(i);
      if (draw.below(3) == 0) {
        messages[i] = Message(1 + int(draw.below(5)));
        program.add(messages[i].op(name, tiles, tile));
      } else {
        const auto from = static_cast<TileId>(draw.below(kTiles));
        program.add(make_op(name, {from}, {tile}, [&tiles, from, tile, i](std::byte*) {
          tiles[tile][0] = 31 * tiles[tile][0] + tiles[from][0] + i;
        }));
      }
    }
    executor.prepare(program)->run();
    return tiles.words();
  };

  EXPECT_EQ(run(*executor_), run(*make_executor("sequential", 1)));
}

TEST_P(AnyExecutor, AnErrorOfAPollIsAnErrorOfItsOp) {
  WordTiles tiles(2);
  Program program("broken line", tiles.table());
  Op message = make_op("message", {}, {0});
  message.poll = [polls = 0]() mutable -> bool {
    if (++polls < 3) return false;
    throw failure("message", "lost");
  };
  program.add(message);
  program.add(make_op("after", {0}, {1}, [&](std::byte*) { tiles[1][0] = 1; }));
  const auto prepared = executor_->prepare(program);

  EXPECT_EQ(error_of([&] { prepared->run(); }), "[message] lost");
  EXPECT_EQ(tiles[1][0], 0u);
}

// The message may never arrive, and a rank that has failed must be able to report it.
TEST_P(AnyExecutor, PendingOpsAreAbandonedOnceAnotherOpHasFailed) {
  if (GetParam().name == "sequential" || GetParam().name == "omp-tasks") {
    GTEST_SKIP() << "a worker polls its op until the op ends";
  }
  const WordTiles tiles(2);
  Program program("hopeless", tiles.table());
  Op message = make_op("message", {}, {0});
  message.phase = Phase::kCommunication;
  message.poll = [] { return false; };
  program.add(message);
  program.add(make_op("fails", {}, {1}, [](std::byte*) { throw failure("fails", "failed"); }));

  EXPECT_EQ(error_of([&] { executor_->prepare(program)->run(); }), "[fails] failed");
}

// One thread is enough, because a pending op occupies none.
class NeverOccupied : public ExecutorTest {};
INSTANTIATE_TEST_SUITE_P(Models, NeverOccupied,
                         testing::Values(Model{"tasks", 1}, Model{"tasks", 2},
                                         Model{"fork-join", 1}, Model{"fork-join", 2}),
                         name_of);

TEST_P(NeverOccupied, OtherOpsRunWhileOneIsPending) {
  WordTiles tiles(4);
  Program program("overlap", tiles.table());
  std::atomic<int> others{0};
  Op message = make_op("message", {}, {0});
  message.phase = Phase::kCommunication;
  message.poll = [&] { return others == 3; };  // the ops after it in the list
  program.add(message);
  for (TileId tile = 1; tile < 4; ++tile) {
    program.add(make_op("other" + std::to_string(tile), {}, {tile}, [&](std::byte*) { ++others; }));
  }

  executor_->prepare(program)->run();

  EXPECT_EQ(others, 3);
}

// A sleeping worker must wake up to poll a message while the other worker is busy.
TEST(Tasks, AnIdleWorkerPollsWhileAnotherIsBusy) {
  WordTiles tiles(3);
  Program program("busy", tiles.table());
  std::atomic<bool> arrived{false};
  program.add(make_op("long before", {}, {0}, [](std::byte*) {
    std::this_thread::sleep_for(
        std::chrono::milliseconds(20));  // the other worker is asleep by then
  }));
  Op message = make_op("message", {0}, {1});
  message.phase = Phase::kCommunication;
  message.poll = [&, polls = 0]() mutable { return arrived = ++polls == 10; };
  program.add(message);
  program.add(
      make_op("busy", {0}, {2}, [&](std::byte*) { wait_for([&] { return bool(arrived); }); }));

  make_executor("tasks", 2)->prepare(program)->run();

  EXPECT_TRUE(arrived);
}

TEST(Tasks, CommunicationGoesFirstAndThenListOrder) {
  WordTiles tiles(5);
  Program program("order", tiles.table());
  std::string order;
  for (TileId tile = 0; tile < 5; ++tile) {
    Op op = make_op(std::to_string(tile), {}, {tile},
                    [&order, tile](std::byte*) { order += std::to_string(tile); });
    if (tile == 2 || tile == 4) op.phase = Phase::kCommunication;
    program.add(op);
  }

  make_executor("tasks", 1)->prepare(program)->run();

  EXPECT_EQ(order, "24013");
}

// ---- The table of executors.

TEST(MakeExecutor, RefusesUnknownNames) {
  for (const char* name : {"", "openmp", "Tasks", "fork_join", "tasks "}) {
    const std::string error = error_of([&] { make_executor(name, 2); });

    EXPECT_TRUE(
        mentions(error, {"unknown executor", name, "sequential, fork-join, tasks or omp-tasks"}));
  }
}

TEST(MakeExecutor, RefusesThreadCountsBelowOne) {
  for (const std::string& name : executor_names()) {
    EXPECT_TRUE(mentions(error_of([&] { make_executor(name, 0); }), {"--threads 0"}));
    EXPECT_TRUE(mentions(error_of([&] { make_executor(name, -3); }), {"--threads -3"}));
  }
}

TEST(MakeExecutor, BadArgumentsAreTheUsersMistake) {
  try {
    make_executor("openmp", 2);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
  }
}

TEST(Executors, AreListedOnceAndMadeByTheirNames) {
  std::set<std::string> names;
  for (const ExecutorTraits& traits : executors()) {
    EXPECT_TRUE(names.insert(traits.name).second) << traits.name;
    EXPECT_EQ(make_executor(traits.name, 3)->name(), traits.name);
    EXPECT_EQ(make_executor(traits.name, 3)->threads(), traits.is_parallel() ? 3 : 1);
    EXPECT_EQ(&executor_traits(traits.name), &traits);
  }
  EXPECT_EQ(names.size(), executor_names().size());
}

TEST(MakeExecutor, SequentialUsesOneThreadWhateverItIsGiven) {
  EXPECT_EQ(make_executor("sequential", 5)->threads(), 1);
}

TEST(Executor, ThereIsAtLeastOneCpu) { EXPECT_GE(available_cpus(), 1); }

TEST(Executor, NamesTheOpenMpRuntime) {
  EXPECT_TRUE(openmp_runtime() == "libgomp" || openmp_runtime() == "libomp") << openmp_runtime();
}

}  // namespace
}  // namespace weft
