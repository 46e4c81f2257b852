#include "runlog/event_records.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/error_of.h"

namespace weft {
namespace {

// Values from RFC 3720, B.4, and TensorFlow's own tests.
TEST(Crc32c, MatchesPublishedVectors) {
  std::string rising(32, '\0'), falling(32, '\0');
  for (int i = 0; i < 32; ++i) {
    rising[size_t(i)] = static_cast<char>(i);
    falling[size_t(i)] = static_cast<char>(31 - i);
  }

  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c(rising), 0x46dd794eu);
  EXPECT_EQ(crc32c(falling), 0x113fdb5cu);
  EXPECT_EQ(masked_crc32c("\x1a\x11"
                          "CRC test, one two"),
            0x5794d08au);
}

std::vector<std::string> records_of(std::string_view file, size_t* unfinished = nullptr) {
  RecordReader reader(file);
  std::vector<std::string> records;
  while (const auto record = reader.next()) records.emplace_back(*record);
  EXPECT_EQ(reader.records(), int64_t(records.size()));
  if (unfinished != nullptr) *unfinished = reader.unfinished_bytes();
  return records;
}

TEST(EventRecords, ComeBack) {
  const std::vector<std::string> data = {"one", "", std::string(1000, '\0'), "\xff\xfe"};
  std::string file;
  for (const std::string& d : data) file += event_record(d);

  size_t unfinished = 1;
  EXPECT_EQ(records_of(file, &unfinished), data);
  EXPECT_EQ(unfinished, 0u);
  EXPECT_TRUE(records_of("").empty());
}

TEST(EventRecords, AFileThatBreaksOffHasItsWholeRecords) {
  const std::string first = event_record("first"), file = first + event_record("second");

  for (size_t size = first.size(); size < file.size(); ++size) {
    size_t unfinished = 0;
    EXPECT_EQ(records_of(file.substr(0, size), &unfinished), std::vector<std::string>{"first"});
    EXPECT_EQ(unfinished, size - first.size());
  }
}

TEST(EventRecords, EveryWrongByteIsNoticed) {
  const std::string file = event_record("first") + event_record("second");

  for (size_t i = 0; i < file.size(); ++i) {
    std::string damaged = file;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);

    EXPECT_TRUE(mentions(error_of([&] { records_of(damaged); }), {"checksum", "is wrong"})) << i;
  }
}

// A forged length can have a good checksum.
TEST(EventRecords, ALengthBeyondTheFileIsNotBelieved) {
  for (const uint64_t length : {uint64_t{6}, uint64_t{1} << 40, ~uint64_t{0}, ~uint64_t{0} - 15}) {
    std::string file(reinterpret_cast<const char*>(&length), sizeof(length));
    const uint32_t checksum = masked_crc32c(file);
    file.append(reinterpret_cast<const char*>(&checksum), sizeof(checksum));
    file += "data and";

    size_t unfinished = 0;
    EXPECT_TRUE(records_of(file, &unfinished).empty());
    EXPECT_EQ(unfinished, file.size());
  }
}

}  // namespace
}  // namespace weft
