#include "runlog/tensorboard.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "runlog/event_decoder.h"
#include "support/error_of.h"
#include "support/failing_disk.h"
#include "support/file_size_limit.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

double now_s() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::vector<fs::path> files_in(const fs::path& directory) {
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory)) files.insert(entry.path());
  return {files.begin(), files.end()};
}

std::vector<DecodedEvent> only_file_in(const fs::path& directory) {
  const std::vector<fs::path> files = files_in(directory);
  EXPECT_EQ(files.size(), 1u);
  return decode_events(read_file(files.at(0)));
}

DecodedEvent decoded(const ordered_json& record, double wall_time = 1.5) {
  return decode_events(event_of(record, wall_time)).at(0);
}

const ordered_json kStep = {{"kind", "train"}, {"step", 7}, {"loss", 0.1}};

TEST(EventOf, ANumberOfARecordIsAScalarOfItsKindAndField) {
  const DecodedEvent event = decoded({{"kind", "train"},
                                      {"step", 3},
                                      {"loss", 5.5451774444795623},
                                      {"lr", 3e-4},
                                      {"tokens", 16777217}});

  EXPECT_EQ(event.step, 3);
  EXPECT_EQ(event.wall_time, 1.5);
  EXPECT_EQ(event.scalars, (std::vector<std::pair<std::string, float>>{
                               {"train/loss", 5.5451774444795623f},
                               {"train/lr", 3e-4f},
                               {"train/tokens", 16777216.f}}));  // rounded to float32
  EXPECT_TRUE(event.texts.empty());
}

TEST(EventOf, ATextIsShownAsItIs) {
  const DecodedEvent event =
      decoded({{"kind", "sample"}, {"step", 8}, {"text", "# one\n\n*two* \xE2\x82\xAC\xFF\n"}});

  EXPECT_EQ(event.step, 8);
  EXPECT_EQ(event.texts,
            (std::vector<std::pair<std::string, std::string>>{
                {"sample/text", "    # one\n    \n    *two* \xE2\x82\xAC\xEF\xBF\xBD\n    "}}));
}

TEST(EventOf, ARunIsDescribedAtTheStepBeforeItsFirst) {
  const ordered_json run = {{"kind", "run"}, {"model", "L=1"}, {"first_step", 5}, {"ranks", 2}};

  const DecodedEvent event = decoded(run);

  EXPECT_EQ(event.step, 4);
  ASSERT_EQ(event.texts.size(), 1u);
  EXPECT_EQ(event.texts[0].first, "run/description");
  EXPECT_EQ(ordered_json::parse(event.texts[0].second), run);
  EXPECT_TRUE(event.scalars.empty());
}

TEST(EventOf, NumbersThatAreNotFiniteStaySo) {
  const double infinity = std::numeric_limits<double>::infinity();

  const DecodedEvent event =
      decoded({{"kind", "val"}, {"step", 1}, {"loss", infinity}, {"other", -infinity}});

  EXPECT_EQ(event.scalars.at(0).second, std::numeric_limits<float>::infinity());
  EXPECT_EQ(event.scalars.at(1).second, -std::numeric_limits<float>::infinity());
}

// The complete first record of a file at time 0, as TensorFlow writes it.
TEST(EventLog, BeginsWithTheRecordThatTensorBoardExpects) {
  const TempDirectory dir;
  EventLog(dir.path()).begin(1, "");
  std::string bytes = read_file(files_in(dir.path()).at(0)).substr(0, 40);
  const std::string expected(
      "\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22\x09\0\0\0\0\0\0\0\0\x1a\x0d"
      "brain.Event:2\xee\xdf\x28\xa3",
      40);

  // Everything but the time and its checksum.
  EXPECT_EQ(bytes.substr(0, 13), expected.substr(0, 13));
  EXPECT_EQ(bytes.substr(21, 15), expected.substr(21, 15));
  EXPECT_EQ(decode_events(expected).at(0).file_version, "brain.Event:2");
  EXPECT_EQ(decode_events(bytes).at(0).file_version, "brain.Event:2");
}

TEST(EventLog, HoldsTheSessionTheConfigurationAndEveryRecord) {
  const TempDirectory dir;
  const double before = now_s();
  EventLog log(dir.path());
  EXPECT_EQ(log.begin(6, "lr = 0.1\nseed = 1\n"), "");
  EXPECT_EQ(log.write({{"kind", "run"}, {"first_step", 6}}), "");
  EXPECT_EQ(log.write(kStep), "");
  log.sync();

  const std::vector<DecodedEvent> events = only_file_in(dir.path());

  ASSERT_EQ(events.size(), 5u);
  EXPECT_EQ(events[0].file_version, "brain.Event:2");
  EXPECT_TRUE(events[1].starts_session);
  EXPECT_EQ(events[1].step, 6);
  EXPECT_EQ(events[2].texts.at(0).first, "run/config");
  EXPECT_EQ(events[2].texts.at(0).second, "    lr = 0.1\n    seed = 1\n    ");
  EXPECT_EQ(events[2].step, 5);
  EXPECT_EQ(events[3].texts.at(0).first, "run/description");
  EXPECT_EQ(events[4].scalars.at(0).first, "train/loss");
  for (const DecodedEvent& event : events) {
    EXPECT_GE(event.wall_time, before);
    EXPECT_LE(event.wall_time, now_s());
  }
}

TEST(EventLog, ANewFileIsReadBehindThoseThatAreThere) {
  const TempDirectory dir;
  const std::string host_and_more = ".zzz.999999.9";
  dir.write("events.out.tfevents." + std::to_string(int64_t(now_s()) + 1000) + host_and_more, "");
  dir.write("events.out.tfevents.99999999999999999999.x", "");  // more seconds than a name has
  dir.write("events.out.tfevents.x", "");
  dir.write("metrics.jsonl", "");
  const std::vector<fs::path> before = files_in(dir.path());

  const EventLog first(dir.path()), second(dir.path());

  const std::vector<fs::path> after = files_in(dir.path());
  const std::string process = "." + std::to_string(getpid()) + ".0";
  ASSERT_EQ(after.size(), before.size() + 2);
  EXPECT_TRUE(after[0].filename().string().ends_with(host_and_more));
  EXPECT_TRUE(after[1].filename().string().ends_with(process));
  EXPECT_TRUE(after[2].filename().string().ends_with(process));
}

// A reader that follows the file never finds a part of a record.
TEST(EventLog, EachRecordReachesTheFileWhole) {
  const TempDirectory dir;
  FailingDisk disk;
  EventLog log(dir.path(), disk);
  const size_t calls = disk.calls();
  log.begin(1, "seed = 1\n");
  EXPECT_EQ(disk.calls(), calls + 1);

  for (size_t i = 1; i <= 3; ++i) {
    log.write(kStep);

    EXPECT_EQ(disk.calls(), calls + 1 + i);
    EXPECT_EQ(only_file_in(dir.path()).size(), 3 + i);
  }
}

TEST(EventLog, EventsWaitForADiskThatIsFull) {
  const TempDirectory dir;
  EventLog log(dir.path());
  log.begin(1, "");
  std::string error;
  {
    const FileSizeLimit full(fs::file_size(files_in(dir.path()).at(0)) + 20);
    error = log.write(kStep);
    EXPECT_EQ(log.write(kStep), error);
    EXPECT_TRUE(mentions(error_of([&] { log.sync(); }), {"File too large"}));
  }

  EXPECT_TRUE(mentions(error, {"cannot write", "events.out.tfevents.", "File too large"}));
  EXPECT_EQ(log.write(kStep), "");
  EXPECT_EQ(only_file_in(dir.path()).size(), 6u);
}

TEST(EventLog, SaysWhichFileItCannotWrite) {
  const TempDirectory dir;

  const std::string error = error_of([&] { EventLog(dir / "absent"); });

  EXPECT_TRUE(mentions(error, {"[file.write]", "absent/events.out.tfevents."}));
}

}  // namespace
}  // namespace weft
