#include "timeline/perfetto_trace.h"

#include <gtest/gtest.h>

#include <istream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/gzip.h"
#include "support/error_of.h"
#include "support/made_timeline.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

using nlohmann::json;

class PerfettoTest : public testing::Test {
 protected:
  json written(const Timeline& timeline) const {
    write_perfetto(directory_ / "trace.json", timeline);
    return json::parse(read_file(directory_ / "trace.json"));
  }
  json written(const std::vector<MadeOp>& ops) const {
    return written(Timeline{{made_timeline(ops)}});
  }

  static std::vector<json> events(const json& document, const char* kind) {
    std::vector<json> found;
    for (const json& event : document["traceEvents"]) {
      if (event["ph"] == kind) found.push_back(event);
    }
    return found;
  }

  TempDirectory directory_;
};

TEST_F(PerfettoTest, HasASliceForEachOpAndOneForTheRun) {
  const std::vector<json> found = events(written({{.kind = "\"qkv\"/forward",
                                                   .after = {},
                                                   .worker = 1,
                                                   .begin_ns = 500,
                                                   .end_ns = 2500,
                                                   .layer = 12,
                                                   .tile = "r0,c1",
                                                   .flops = 98304.},
                                                  {"norm", {}, 0, 1000, 4001, Phase::kUpdate}}),
                                         "X");

  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0]["name"], "step");
  EXPECT_EQ(found[0]["args"], (json{{"phase", "program"}, {"step", 3}}));
  EXPECT_EQ(found[0]["ts"], 0.5);
  EXPECT_EQ(found[0]["dur"], 3.501);  // microseconds
  EXPECT_EQ(found[1]["name"], "block12/\"qkv\"/forward[r0,c1]");
  EXPECT_EQ(found[1]["cat"], "forward");
  EXPECT_EQ(found[1]["args"], (json{{"phase", "forward"},
                                    {"step", 3},
                                    {"kind", "\"qkv\"/forward"},
                                    {"layer", 12},
                                    {"tiles", "r0,c1"},
                                    {"flops", 98304},
                                    {"critical", false}}));
  EXPECT_EQ(found[2]["args"],
            (json{{"phase", "update"}, {"step", 3}, {"kind", "norm"}, {"critical", true}}));
  EXPECT_EQ(found[2]["ts"], 1.);
  EXPECT_NE(found[1]["tid"], found[2]["tid"]);
}

TEST_F(PerfettoTest, NamesEveryTrackAndNumbersThemFromOne) {
  const json document = written(Timeline{{made_timeline({{"a", {}, 4, 0, 10}}, 6)}});

  std::map<int, std::string> tracks;
  for (const json& event : document["traceEvents"]) {
    EXPECT_EQ(event["pid"], 1);
    if (event["name"] == "thread_name") tracks[event["tid"]] = event["args"]["name"];
    if (event["name"] == "process_name") {
      EXPECT_EQ(event["args"]["name"], "rank 0 on here");
    }
  }
  EXPECT_EQ(tracks.size(), 7u);  // programs and workers 0..5, the last of which had nothing to do
  EXPECT_EQ(tracks.begin()->first, 1);
  EXPECT_EQ(tracks[events(document, "X").back()["tid"]], "worker 4");
}

TEST_F(PerfettoTest, LeavesOutOpsAndRunsThatNeverRan) {
  RankTimeline timeline = made_timeline({{"a", {}, 0, 0, 0}, {"b", {}, 0, 5, 9}});
  timeline.runs.push_back({.step = 4, .program = 0, .spans = std::vector<OpSpan>(2)});

  const std::vector<json> found = events(written(Timeline{{timeline}}), "X");

  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[1]["name"], "b");
}

// Such ops overlap each other, and occupy no worker.
TEST_F(PerfettoTest, OpsThatWaitHaveTracksOfTheirOwn) {
  std::vector<MadeOp> ops = {{"first", {}, 0, 100, 300},
                             {"second", {}, 0, 200, 900},
                             {"third", {}, 1, 300, 400},
                             {"op", {}, 0, 210, 250}};
  for (size_t i = 0; i < 3; ++i) ops[i].waits = true;

  const json document = written(ops);

  std::map<std::string, int> tracks;
  for (const json& slice : events(document, "X")) tracks[slice["name"]] = slice["tid"];
  std::map<int, std::string> names;
  for (const json& event : events(document, "M")) {
    if (event["name"] == "thread_name") names[event["tid"]] = event["args"]["name"];
  }
  EXPECT_EQ(tracks.size(), 5u);
  EXPECT_GT(tracks["first"], tracks["op"]);
  EXPECT_EQ(tracks["second"], tracks["first"] + 1);
  EXPECT_EQ(tracks["third"], tracks["first"]);  // free again
  EXPECT_EQ(names.size(), 5u);
  EXPECT_EQ(names[tracks["first"]], "under way");
  EXPECT_EQ(names[tracks["second"]], "under way");
  EXPECT_EQ(names[tracks["op"]], "worker 0");
}

// a and c are on one worker; b waits for a, and e for c.
TEST_F(PerfettoTest, ArrowsLeadAlongTheCriticalPath) {
  const json document = written({{"a", {}, 0, 0, 1000},
                                 {"b", {0}, 1, 1100, 1200},
                                 {"c", {}, 0, 1000, 3000},
                                 {"e", {2}, 1, 3000, 4000}});

  const std::vector<json> slices = events(document, "X"), starts = events(document, "s"),
                          ends = events(document, "f");
  ASSERT_EQ(starts.size(), 2u);
  ASSERT_EQ(ends.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    for (const char* key : {"id", "cat", "name"}) EXPECT_EQ(starts[i][key], ends[i][key]);
    EXPECT_EQ(ends[i]["bp"], "e");
  }
  EXPECT_NE(starts[0]["id"], starts[1]["id"]);
  EXPECT_EQ(starts[0]["name"], "same worker");
  EXPECT_EQ(starts[0]["ts"], 0.999);  // still within a
  EXPECT_EQ(ends[0]["ts"], 1.);
  EXPECT_EQ(starts[1]["name"], "dependence");
  EXPECT_EQ(starts[1]["tid"], slices[3]["tid"]);
  EXPECT_EQ(ends[1]["tid"], slices[4]["tid"]);
  for (size_t i = 1; i < slices.size(); ++i) {
    EXPECT_EQ(slices[i]["args"]["critical"], slices[i]["name"] != "b");
  }
}

TEST_F(PerfettoTest, CountersChangeWhereTheirValueDoesAndEndAtZero) {
  std::vector<MadeOp> ops = {{"a", {}, 0, 0, 3000}, {"b", {}, 0, 3000, 4000}};
  ops[0].bytes = 2000;  // 3000 in 3000 ns
  ops.resize(12);       // ops that never ran count for the number of slots: three

  std::map<std::string, std::vector<std::pair<double, double>>> values;
  for (const json& event : events(written(ops), "C")) {
    const auto series = event["args"].items().begin();
    values[event["name"].get<std::string>() + " " + series.key()].emplace_back(event["ts"],
                                                                               series.value());
  }

  using Values = std::vector<std::pair<double, double>>;
  EXPECT_EQ(values["ready ops ops"], (Values{{0., 1.}, {2.666, 0.25}, {4., 0.}}));
  EXPECT_EQ(values["tile traffic GB/s"], (Values{{0., 1.}, {2.666, 0.25}, {4., 0.}}));
}

TEST_F(PerfettoTest, AFileOfSeveralRanksHasAProcessForEach) {
  RankTimeline first = made_timeline({{"a", {}, 0, 5000, 6000}, {"b", {0}, 0, 6000, 7000}});
  RankTimeline second = first;
  second.rank = 1;
  second.name = "rank 1 on \"there\"";
  shift(second, 3000);

  const json document = written(Timeline{{first, second}});

  const std::vector<json> found = events(document, "X");
  ASSERT_EQ(found.size(), 6u);
  EXPECT_EQ(found[0]["pid"], 1);
  EXPECT_EQ(found[0]["ts"], 5.);
  EXPECT_EQ(found[3]["pid"], 2);
  EXPECT_EQ(found[3]["ts"], 8.);
  ASSERT_EQ(events(document, "s").size(), 2u);
  EXPECT_NE(events(document, "s")[0]["id"], events(document, "s")[1]["id"]);
}

TEST_F(PerfettoTest, IsCompressedWhereItsNameSaysSo) {
  const Timeline timeline{{made_timeline({{"a", {}, 0, 0, 1000}, {"b", {0}, 1, 1000, 2000}})}};

  write_perfetto(directory_ / "trace.json.gz", timeline);

  GzipReader unpacked(directory_ / "trace.json.gz", "test");
  std::istream file(&unpacked);
  EXPECT_EQ(json::parse(file), written(timeline));
}

TEST_F(PerfettoTest, OfNothingIsStillValid) {
  EXPECT_TRUE(events(written(Timeline{}), "X").empty());
  EXPECT_TRUE(events(written(Timeline{{RankTimeline{}}}), "X").empty());
}

TEST_F(PerfettoTest, SaysWhichFileCannotBeWritten) {
  for (const char* name : {"absent/trace.json", "absent/trace.json.gz"}) {
    const std::string message = error_of([&] { write_perfetto(directory_ / name, {}); });

    EXPECT_TRUE(mentions(message, {name}));
  }
}

}  // namespace
}  // namespace weft
