#include "timeline/paraver_trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "base/files.h"
#include "support/error_of.h"
#include "support/made_timeline.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

class ParaverTest : public testing::Test {
 protected:
  // The records, without the header.
  std::vector<std::string> records(const Timeline& timeline) {
    write_paraver(directory_ / "t.prv", timeline);
    std::vector<std::string> lines = lines_of(read_file(directory_ / "t.prv"));
    header_ = lines.front();
    lines.erase(lines.begin());
    return lines;
  }
  std::vector<std::string> records(const std::vector<MadeOp>& ops) {
    return records(Timeline{{made_timeline(ops)}});
  }
  static std::vector<std::string> beginning(const std::vector<std::string>& lines,
                                            std::string_view with) {
    std::vector<std::string> found;
    std::ranges::copy_if(lines, std::back_inserter(found),
                         [&](const std::string& line) { return line.starts_with(with); });
    return found;
  }

  TempDirectory directory_;
  std::string header_;
};

TEST_F(ParaverTest, HasStatesAndEventsOfEachWorkerInTheOrderOfTime) {
  const std::vector<std::string> found =
      records({{.kind = "qkv/forward", .after = {}, .end_ns = 10, .layer = 1, .tile = "r0"},
               {"norm", {0}, 1, 12, 20, Phase::kUpdate}});

  EXPECT_TRUE(header_.starts_with("#Paraver ("));
  EXPECT_TRUE(header_.ends_with("):20_ns:0:1:1(2:1)"));
  EXPECT_EQ(found, (std::vector<std::string>{
                       "2:0:1:1:1:0:1004:3:1005:1", "2:0:1:1:2:0:1004:3:1005:1",  // the run begins
                       "1:0:1:1:1:0:10:1", "1:0:1:1:2:0:12:0",
                       "2:0:1:1:1:0:1001:1:1002:2:1003:2",   // a qkv/forward of layer 1
                       "2:0:1:1:1:10:1001:0:1002:0:1003:0",  //
                       "1:0:1:1:1:10:20:0",                  //
                       "1:0:1:1:2:12:20:1",                  //
                       "2:0:1:1:2:12:1001:2:1002:4:1003:0",  //
                       "2:0:1:1:2:20:1001:0:1002:0:1003:0",  //
                       "2:0:1:1:1:20:1004:0:1005:0", "2:0:1:1:2:20:1004:0:1005:0"}));
}

// While worker 0 runs b, the transfer that it began costs it no time.
TEST_F(ParaverTest, AWorkerWithNothingToRunWaitsForWhatItBegan) {
  MadeOp sum{"exchange/sum", {}, 0, 10, 50, Phase::kCommunication};
  sum.waits = true;
  const std::vector<std::string> found = records(
      {{"a", {}, 0, 0, 10}, sum, {"b", {}, 0, 20, 30}, {"c", {1}, 0, 60, 70}, {"d", {}, 1, 0, 5}});

  EXPECT_EQ(
      beginning(found, "1:0:1:1:1:"),
      (std::vector<std::string>{"1:0:1:1:1:0:10:1", "1:0:1:1:1:10:20:13", "1:0:1:1:1:20:30:1",
                                "1:0:1:1:1:30:50:13", "1:0:1:1:1:50:60:0", "1:0:1:1:1:60:70:1"}));
  EXPECT_EQ(beginning(found, "1:0:1:1:2:"),
            (std::vector<std::string>{"1:0:1:1:2:0:5:1", "1:0:1:1:2:5:70:0"}));
  for (const char* event :
       {"2:0:1:1:1:10:50000002:1000", "2:0:1:1:1:20:50000002:0", "2:0:1:1:1:30:50000002:1000",
        "2:0:1:1:1:50:50000002:0", "2:0:1:1:1:10:1006:1:1007:2", "2:0:1:1:1:50:1006:0"}) {
    EXPECT_EQ(std::ranges::count(found, event), 1) << event;
  }
}

TEST_F(ParaverTest, CountsTransfersThatAreUnderWayTogether) {
  std::vector<MadeOp> ops = {{"exchange/sum", {}, 0, 10, 50},
                             {"exchange/sum", {}, 0, 20, 60},
                             {"exchange/sum", {}, 1, 30, 40},
                             {"exchange/sum", {}, 0, 60, 80}};
  for (MadeOp& op : ops) op.waits = true;

  const std::vector<std::string> found = records(ops);

  std::vector<std::string> counts;
  for (const std::string& line : beginning(found, "2:0:1:1:1:")) {
    if (line.find(":1006:") != line.npos) counts.push_back(line.substr(10));
  }
  EXPECT_EQ(counts, (std::vector<std::string>{"10:1006:1:1007:1", "20:1006:2:1007:1", "50:1006:1",
                                              "60:1006:0", "60:1006:1:1007:1", "80:1006:0"}));
  EXPECT_EQ(beginning(found, "1:0:1:1:1:"),
            (std::vector<std::string>{"1:0:1:1:1:0:10:0", "1:0:1:1:1:10:80:13"}));
}

TEST_F(ParaverTest, LabelsValuesAndNamesRanksAndWorkers) {
  Timeline timeline{
      {made_timeline(
           {{.kind = "qkv/forward", .after = {}, .end_ns = 10, .layer = 1, .tile = "r0"}}),
       made_timeline({{"norm", {}, 0, 0, 10}}, 1)}};
  timeline.ranks[1].rank = 1;
  timeline.ranks[1].name = "rank 1 on there";

  records(timeline);

  EXPECT_TRUE(header_.ends_with("):10_ns:0:1:2(2:1,1:1)"));
  EXPECT_TRUE(mentions(read_file(directory_ / "t.pcf"),
                       {"STATES\n0     Idle\n1     Running\n", "1001    Op\nVALUES\n",
                        "\n1      qkv/forward\n2      norm\n", "\n2      layer 1\n",
                        "\n4      update\n", "50000002    MPI"}));
  EXPECT_EQ(read_file(directory_ / "t.row"),
            "LEVEL TASK SIZE 2\nrank 0 on here\nrank 1 on there\n\n"
            "LEVEL THREAD SIZE 3\nrank 0, worker 0\nrank 0, worker 1\nrank 1, worker 0\n");
}

TEST_F(ParaverTest, LeavesOutWhatTookNoTime) {
  const std::vector<std::string> found =
      records({{"a", {}, 0, 0, 0}, {"b", {}, 0, 5, 5}, {"c", {}, 0, 5, 9}});

  EXPECT_EQ(std::ranges::count_if(
                found, [](const std::string& line) { return line.find(":1001:") != line.npos; }),
            2);  // c begins, and ends
}

TEST_F(ParaverTest, SaysWhichFileCannotBeWritten) {
  EXPECT_TRUE(mentions(error_of([&] { write_paraver(directory_ / "absent/t.prv", {}); }),
                       {"absent/t.prv"}));
}

}  // namespace
}  // namespace weft
