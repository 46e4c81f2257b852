#include "runlog/event_file.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/files.h"
#include "runlog/event_fields.h"
#include "runlog/protobuf.h"
#include "runlog/tensorboard.h"
#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

class EventFileTest : public testing::Test {
 protected:
  // A file that EventLog writes: five records, the last of which is a step's.
  std::string written() const {
    const TempDirectory made;
    EventLog log(made.path());
    log.begin(3, "seed = 1\n");
    log.write({{"kind", "sample"}, {"step", 3}, {"text", "upon a"}});
    log.write({{"kind", "train"}, {"step", 4}, {"loss", 2.5}, {"lr", 0.25}});
    return read_file(fs::directory_iterator(made.path())->path());
  }

  std::vector<Event> read(std::string_view bytes, std::string* torn = nullptr) {
    readers_.emplace_back(dir_.write("events", bytes));
    std::vector<Event> events;
    while (const auto event = readers_.back().next()) events.push_back(*event);
    if (torn != nullptr) *torn = readers_.back().torn();
    return events;
  }
  std::string error(std::string_view bytes) {
    return error_of([&] { read(bytes); });
  }

  static std::string version() {
    std::string message;
    put_bytes(message, kFileVersionField, "brain.Event:2");
    return event_record(message);
  }

  TempDirectory dir_;
  std::vector<EventFileReader> readers_;
};

TEST_F(EventFileTest, ReadsWhatTheLogWrote) {
  std::string torn;
  const std::vector<Event> events = read(written(), &torn);

  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(torn, "");
  EXPECT_TRUE(events[0].starts_session);
  EXPECT_EQ(events[0].step, 3);
  EXPECT_TRUE(events[1].values.at(0).is_text);
  EXPECT_EQ(events[1].values.at(0).tag, "run/config");
  EXPECT_EQ(events[3].step, 4);
  ASSERT_EQ(events[3].values.size(), 2u);
  EXPECT_EQ(events[3].values[1].tag, "train/lr");
  EXPECT_EQ(events[3].values[1].number, 0.25f);
  EXPECT_FALSE(events[3].values[1].is_text);
}

TEST_F(EventFileTest, ATornRecordIsToldBehindTheWholeOnes) {
  const std::string bytes = written();
  std::string torn;

  const std::vector<Event> events = read(bytes.substr(0, bytes.size() - 1), &torn);

  EXPECT_EQ(events.size(), 3u);
  EXPECT_TRUE(mentions(torn, {"events breaks off", "record 5", "was killed or still writes"}));
}

TEST_F(EventFileTest, DamageIsNamedWithItsRecordAndByte) {
  std::string bytes = version() + event_record("");
  const std::string place = "record 3 at byte " + std::to_string(bytes.size()) + " is damaged";
  const std::string good = bytes;
  std::string data = event_record("abc"), length = event_record("abc");
  data[13] ^= 1;
  length[0] ^= 1;

  EXPECT_TRUE(mentions(error(good + data), {"events", place, "checksum of its data is wrong"}));
  EXPECT_TRUE(mentions(error(good + length), {place, "checksum of its length is wrong"}));
  EXPECT_TRUE(mentions(error(good + event_record("\x12\x07test")), {place, "beyond the end"}));
}

TEST_F(EventFileTest, MessagesWithinMessagesAreCheckedToo) {
  std::string summary, event;
  put_bytes(summary, kValueField, "\x0a\x05tag");
  put_bytes(event, kSummaryField, summary);

  EXPECT_TRUE(mentions(error(version() + event_record(event)), {"record 2", "beyond the end"}));
}

TEST_F(EventFileTest, WhatBeginsInAnotherWayIsRefused) {
  EXPECT_TRUE(mentions(error("hello world, and more"), {"record 1 at byte 0", "length is wrong"}));
  EXPECT_TRUE(mentions(error(event_record("")), {"record 1", "does not name the version"}));
}

TEST_F(EventFileTest, AFileMayBreakOffInItsVersion) {
  for (size_t size = 0; size < version().size(); ++size) {
    std::string torn;
    EXPECT_TRUE(read(version().substr(0, size), &torn).empty());
    EXPECT_TRUE(mentions(torn, {std::to_string(size) + " bytes into record 1"}));
  }
}

TEST_F(EventFileTest, FieldsOfOtherWritersAreSkipped) {
  std::string value, summary, event;
  put_bytes(value, kTagField, "weights");
  put_bytes(value, 5, "a histogram");
  put_bytes(summary, kValueField, value);
  put_bytes(event, kSummaryField, summary);
  put_bytes(event, 10, "source metadata");

  const std::vector<Event> events = read(version() + event_record(event));

  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].values.at(0).tag, "weights");
  EXPECT_FALSE(events[0].values.at(0).number.has_value());
  EXPECT_FALSE(events[0].values.at(0).is_text);
}

TEST_F(EventFileTest, IsKnownByItsNameOrItsFirstBytes) {
  EXPECT_TRUE(looks_like_event_file("a/events.out.tfevents.1.host", ""));
  EXPECT_TRUE(looks_like_event_file("a/renamed", version().substr(0, 12)));
  EXPECT_FALSE(looks_like_event_file("a/renamed", version().substr(0, 11)));
  EXPECT_FALSE(looks_like_event_file("tfevents/a", "hello world, and more"));
}

}  // namespace
}  // namespace weft
