#include "observe/trace.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/files.h"
#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

using nlohmann::json;

// A program of n ops, each of which writes a tile of its own.
class TraceTest : public testing::Test {
 protected:
  Program make_program(int n) {
    Program program("step", tiles_);
    for (int i = 0; i < n; ++i) {
      const std::string name = "block" + std::to_string(i) + "/\"op\"[0]";
      const TileId tile = tiles_.add({name, &bytes_[static_cast<size_t>(i)], 1, 1, 1});
      program.add({name, i % 2 == 0 ? Phase::kForward : Phase::kUpdate, {}, {tile}, [](auto*) {}});
    }
    return program;
  }

  json written(const Trace& trace) {
    trace.write(directory_ / "trace.json");
    return json::parse(read_file(directory_ / "trace.json"));
  }

  static std::vector<json> slices(const json& document) {
    std::vector<json> found;
    for (const json& event : document["traceEvents"]) {
      if (event["ph"] == "X") found.push_back(event);
    }
    return found;
  }

  TempDirectory directory_;
  TileTable tiles_;
  std::array<std::byte, 1000> bytes_ = {};
};

TEST_F(TraceTest, WritesASliceForEachOpAndOneForTheRun) {
  const Program program = make_program(2);
  Trace trace;
  Observer* observer = trace.begin_run(7, program);
  observer->op_started(1, 0);
  observer->op_started(0, 2);
  observer->op_ended(0, 2);
  observer->op_ended(1, 0);

  const std::vector<json> found = slices(written(trace));

  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0]["name"], "step");
  EXPECT_EQ(found[1]["name"], "block0/\"op\"[0]");
  EXPECT_EQ(found[1]["args"], (json{{"phase", "forward"}, {"step", 7}}));
  EXPECT_EQ(found[2]["args"], (json{{"phase", "update"}, {"step", 7}}));
  EXPECT_NE(found[1]["tid"], found[2]["tid"]);
}

TEST_F(TraceTest, TimesNestInTheRunAndBeginAtZero) {
  const Program program = make_program(1);
  Trace trace;
  Observer* observer = trace.begin_run(1, program);
  observer->op_started(0, 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  observer->op_ended(0, 0);

  const std::vector<json> found = slices(written(trace));

  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[1]["ts"], 0.);
  EXPECT_GE(found[1]["dur"], 2000.);  // microseconds
  EXPECT_EQ(found[0]["dur"], found[1]["dur"]);
}

TEST_F(TraceTest, NamesEveryTrackAndNumbersThemFromOne) {
  const Program program = make_program(1);
  Trace trace;
  Observer* observer = trace.begin_run(1, program);
  observer->op_started(0, 4);
  observer->op_ended(0, 4);

  const json document = written(trace);

  std::map<int, std::string> tracks;
  for (const json& event : document["traceEvents"]) {
    EXPECT_EQ(event["pid"], 1);
    EXPECT_GE(event["tid"], 1);
    if (event["name"] == "thread_name") tracks[event["tid"]] = event["args"]["name"];
  }
  EXPECT_EQ(tracks.size(), 6u);  // programs and workers 0..4
  EXPECT_EQ(tracks[slices(document).back()["tid"]], "worker 4");
}

TEST_F(TraceTest, LeavesOutOpsThatNeverRan) {
  const Program program = make_program(3);
  Trace trace;
  Observer* observer = trace.begin_run(1, program);
  observer->op_started(1, 0);
  observer->op_ended(1, 0);
  trace.begin_run(2, program);

  const std::vector<json> found = slices(written(trace));

  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[1]["name"], "block1/\"op\"[0]");
}

// They overlap with each other, and on no worker.
TEST_F(TraceTest, OpsThatWaitHaveTracksOfTheirOwn) {
  Program program = make_program(1);
  for (const char* name : {"first", "second", "third"}) {
    const TileId tile = tiles_.add({name, &bytes_[tiles_.size()], 1, 1, 1});
    Op op{name, Phase::kCommunication, {}, {tile}, [](auto*) {}};
    op.poll = [] { return true; };
    program.add(op);
  }
  Trace trace;
  Observer* observer = trace.begin_run(1, program);
  const auto pass = [] { std::this_thread::sleep_for(std::chrono::microseconds(50)); };
  observer->op_started(1, 0);
  pass();
  observer->op_started(2, 0);
  observer->op_started(0, 0);
  pass();
  observer->op_ended(0, 0);
  observer->op_ended(1, 0);
  pass();
  observer->op_started(3, 0);
  observer->op_ended(3, 0);
  pass();
  observer->op_ended(2, 0);

  std::map<std::string, int> tracks;
  for (const json& slice : slices(written(trace))) tracks[slice["name"]] = slice["tid"];

  EXPECT_EQ(tracks.size(), 5u);
  EXPECT_GT(tracks["first"], tracks["block0/\"op\"[0]"]);
  EXPECT_EQ(tracks["second"], tracks["first"] + 1);
  EXPECT_EQ(tracks["third"], tracks["first"]);  // free again
}

TEST_F(TraceTest, AFileOfSeveralRanksHasAProcessForEach) {
  const Program program = make_program(1);
  Trace trace;
  Observer* observer = trace.begin_run(1, program);
  observer->op_started(0, 0);
  observer->op_ended(0, 0);
  const int64_t origin_ns = trace.begin_ns() - 5000;

  write_trace(directory_ / "trace.json", {trace.events(0, "rank 0 on a", origin_ns),
                                          trace.events(1, "rank 1 on b", origin_ns - 3000)});

  const json document = json::parse(read_file(directory_ / "trace.json"));
  const std::vector<json> found = slices(document);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0]["pid"], 1);
  EXPECT_EQ(found[0]["ts"], 5.);
  EXPECT_EQ(found[2]["pid"], 2);
  EXPECT_EQ(found[2]["ts"], 8.);
}

TEST_F(TraceTest, OutlivesItsPrograms) {
  Trace trace;
  {
    const Program program = make_program(1);
    Observer* observer = trace.begin_run(1, program);
    observer->op_started(0, 0);
    observer->op_ended(0, 0);
  }

  EXPECT_EQ(slices(written(trace)).back()["name"], "block0/\"op\"[0]");
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

  EXPECT_EQ(slices(written(trace)).size(), 1u + kOps);
}

TEST_F(TraceTest, AnEmptyTraceIsStillValid) {
  const Trace trace;

  EXPECT_TRUE(trace.empty());
  EXPECT_TRUE(slices(written(trace)).empty());
}

TEST_F(TraceTest, SaysWhichFileCannotBeWritten) {
  const Trace trace;

  const std::string message = error_of([&] { trace.write(directory_ / "absent/trace.json"); });

  EXPECT_TRUE(mentions(message, {"absent/trace.json"}));
}

}  // namespace
}  // namespace weft
