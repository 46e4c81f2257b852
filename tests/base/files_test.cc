#include "base/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file_writer.h"
#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

// Contents with every byte value, of sizes around the writer's 1 MiB buffer.
std::string test_bytes(size_t n) {
  std::string bytes(n, '\0');
  for (size_t i = 0; i < n; ++i) bytes[i] = static_cast<char>(i * 131 + (i >> 8));
  return bytes;
}

std::string text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

TEST(Files, WrittenBytesReadBackAtEverySizeAroundTheBuffer) {
  const TempDirectory dir;
  for (const size_t n : {0, 1, 7, 4096, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3000017}) {
    const std::string bytes = test_bytes(n);

    write_file_durably(dir / "data", bytes);

    EXPECT_EQ(read_file(dir / "data"), bytes) << n;
    EXPECT_EQ(text_of(MappedFile(dir / "data")), bytes) << n;
  }
}

TEST(Files, WritingReplacesALongerFile) {
  const TempDirectory dir;
  write_file_durably(dir / "data", "a long content");

  write_file_durably(dir / "data", "short");

  EXPECT_EQ(read_file(dir / "data"), "short");
}

TEST(Files, ReadsFilesThatClaimToHaveNoSize) {
  // The kernel generates /proc files during the read; stat reports 0 bytes.
  EXPECT_TRUE(mentions(read_file("/proc/self/status"), {"Name:"}));
}

TEST(Files, ErrorsNameThePathTheReasonAndWhatToDo) {
  const TempDirectory dir;
  const auto missing = dir / "missing.bin";

  EXPECT_TRUE(mentions(error_of([&] { read_file(missing); }),
                       {"[file.read]", missing.string(), "No such file", "check the path"}));
  EXPECT_TRUE(mentions(error_of([&] { MappedFile{missing}; }), {"[file.map]", missing.string()}));
  EXPECT_TRUE(mentions(error_of([&] { read_file(dir.path()); }),
                       {"directory", "name a file, not a directory"}));
  EXPECT_TRUE(mentions(error_of([&] { MappedFile{dir.path()}; }), {"Is a directory"}));
  EXPECT_TRUE(mentions(error_of([&] { write_file_durably(dir.path(), "x"); }),
                       {"[file.write]", "name a file, not a directory"}));
  EXPECT_TRUE(mentions(error_of([&] { write_file_durably(dir / "no/such/place", "x"); }),
                       {"No such file"}));
}

TEST(Files, ReadErrorsAreTheUsersInputAndWriteErrorsAreFailures) {
  const TempDirectory dir;

  try {
    read_file(dir / "missing");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
  }
  try {
    write_file_durably(dir / "missing/file", "x");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailure);
  }
}

TEST(Files, APipeIsRefusedWithoutWaitingForItsWriter) {
  const TempDirectory dir;
  const auto pipe = dir / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);

  EXPECT_TRUE(mentions(error_of([&] { read_file(pipe); }), {"not a regular file"}));
  EXPECT_TRUE(mentions(error_of([&] { MappedFile{pipe}; }), {"not a regular file"}));
}

TEST(Files, ADeviceIsRefused) {
  EXPECT_TRUE(mentions(error_of([] { read_file("/dev/zero"); }), {"not a regular file"}));
}

TEST(Files, AFullDiskSaysSo) {
  if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full on this system";

  const std::string message = error_of([] { write_file_durably("/dev/full", "x"); });

  EXPECT_TRUE(
      mentions(message, {"/dev/full", "No space left", "the disk is full; free some space"}));
}

TEST(Files, SyncDirectoryTakesADirectoryAndNothingElse) {
  const TempDirectory dir;
  const auto file = dir.write("file", "x");

  EXPECT_EQ(error_of([&] { disk().sync_directory(dir.path()); }), "");
  EXPECT_EQ(error_of([&] { disk().sync_directory(""); }), "");
  EXPECT_TRUE(mentions(error_of([&] { disk().sync_directory(file); }), {"Not a directory"}));
}

TEST(MappedFile, AnEmptyFileHasEmptyBytes) {
  const TempDirectory dir;

  const MappedFile file(dir.write("empty", ""));

  EXPECT_TRUE(file.bytes().empty());
}

TEST(MappedFile, MovesTakeTheBytesAlong) {
  const TempDirectory dir;
  MappedFile a(dir.write("a", "first"));
  MappedFile b(dir.write("b", "second"));

  MappedFile c(std::move(a));
  b = std::move(c);

  EXPECT_EQ(text_of(b), "first");
  EXPECT_TRUE(a.bytes().empty());  // NOLINT(bugprone-use-after-move): empty is promised
  EXPECT_TRUE(c.bytes().empty());  // NOLINT(bugprone-use-after-move)
}

// Ranges in the middle of a page, over several pages, and empty.
TEST(MappedFile, BytesThatWereReleasedAreReadAgain) {
  const TempDirectory dir;
  std::string bytes;
  for (int i = 0; i < 100'000; ++i) bytes += static_cast<char>(i % 251);
  const MappedFile file(dir.write("data", bytes));
  ASSERT_EQ(text_of(file), bytes);

  for (const auto& [first, n] : {std::pair{5, 10}, std::pair{4095, 50'000}, std::pair{7, 0}}) {
    release_mapped(file.bytes().subspan(static_cast<size_t>(first), static_cast<size_t>(n)));

    EXPECT_EQ(text_of(file), bytes) << first << " " << n;
  }
  release_mapped(MappedFile(dir.write("empty", "")).bytes());
}

TEST(MappedFile, OutlivesTheNameOfItsFile) {
  const TempDirectory dir;
  const auto path = dir.write("data", "content");
  const MappedFile file(path);

  std::filesystem::remove(path);

  EXPECT_EQ(text_of(file), "content");
}

TEST(FileWriter, KeepsTheOrderOfSmallAndLargeAppends) {
  const TempDirectory dir;
  const std::string large = test_bytes((1 << 20) + 13);
  std::string expected;
  FileWriter writer(dir / "data");

  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 1000; ++j) {
      const std::string small = test_bytes(static_cast<size_t>(j));
      writer.append(small);
      expected += small;
    }
    writer.append(large.data(), large.size());
    expected += large;
  }
  writer.finish();

  EXPECT_EQ(read_file(dir / "data"), expected);
}

TEST(FileWriter, ReportsAFullDiskAtTheLatestInFinish) {
  if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full on this system";
  FileWriter writer("/dev/full");
  writer.append("x");

  EXPECT_TRUE(mentions(error_of([&] { writer.finish(); }), {"free some space"}));
}

}  // namespace
}  // namespace weft
