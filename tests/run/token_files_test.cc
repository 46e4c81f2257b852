#include "run/token_files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/error_of.h"
#include "support/file_size_limit.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

std::vector<Token> counting(size_t n) {
  std::vector<Token> tokens(n);
  std::iota(tokens.begin(), tokens.end(), Token{0});
  return tokens;
}

class TokenFiles : public testing::Test {
 protected:
  fs::path path(std::string_view name) const { return dir_ / name; }

  TokenTarget target(std::string_view name, int64_t shard_tokens) const {
    return {path(name), TokenFormat::kShard, shard_tokens};
  }

  // Writes the tokens 0, 1, ... and returns the names and sizes of the files.
  std::vector<std::pair<std::string, int64_t>> write(size_t tokens, const TokenTarget& train,
                                                     const std::optional<TokenTarget>& val = {},
                                                     int64_t held_out = 0) const {
    TokenSpool spool(train.path);
    spool.append(counting(tokens));
    spool.finish();
    std::vector<std::pair<std::string, int64_t>> files;
    for (const TokenFile& file : write_token_files(spool, train, val, held_out)) {
      files.emplace_back(file.path.filename().string(), file.tokens);
    }
    return files;
  }

  std::vector<Token> read(std::string_view pattern) const {
    const TokenSource source = TokenSource::open_shards({path(pattern).string()});
    std::vector<int32_t> ids(static_cast<size_t>(source.tokens()));
    source.copy(0, ids);
    return {ids.begin(), ids.end()};
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir_.path())) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }

  TempDirectory dir_;
};

using Files = std::vector<std::pair<std::string, int64_t>>;
using Names = std::vector<std::string>;

TEST_F(TokenFiles, AreOneFileWhileOneShardHoldsThem) {
  EXPECT_EQ(write(10, target("t.bin", 10)), (Files{{"t.bin", 10}}));

  EXPECT_EQ(read("t.bin"), counting(10));
  EXPECT_EQ(names(), Names{"t.bin"});
}

TEST_F(TokenFiles, AreNumberedShardsThatAGlobFindsInOrder) {
  EXPECT_EQ(write(25, target("t.bin", 10)),
            (Files{{"t_000000.bin", 10}, {"t_000001.bin", 10}, {"t_000002.bin", 5}}));

  EXPECT_EQ(read("t_*.bin"), counting(25));
  EXPECT_EQ(names(), (Names{"t_000000.bin", "t_000001.bin", "t_000002.bin"}));
}

TEST_F(TokenFiles, HoldOutTheLastTokensWhereverTheShardsEnd) {
  for (const int64_t held_out : {1, 2, 4, 5, 7, 8, 16, 23, 29}) {
    write(30, target("t.bin", 7), target("v.bin", 4), held_out);

    std::vector<Token> all = read(30 - held_out > 7 ? "t_??????.bin" : "t.bin");
    EXPECT_EQ(std::ssize(all), 30 - held_out);
    const std::vector<Token> val = read(held_out > 4 ? "v_??????.bin" : "v.bin");
    all.insert(all.end(), val.begin(), val.end());
    ASSERT_EQ(all, counting(30)) << held_out;
  }
}

TEST_F(TokenFiles, CrossThePiecesInWhichTheSpoolIsRead) {
  const size_t n = 1'300'001;  // over two pieces of a megabyte

  EXPECT_EQ(write(n, target("t.bin", 400'000)).size(), 4u);

  EXPECT_EQ(read("t_*.bin"), counting(n));
}

TEST_F(TokenFiles, WithoutAHeaderAreOneFileOfTokensAlone) {
  EXPECT_EQ(write(3, {path("t.bin"), TokenFormat::kRawU16, 2}), (Files{{"t.bin", 3}}));

  EXPECT_EQ(read_file(path("t.bin")), std::string("\0\0\1\0\2\0", 6));
}

TEST_F(TokenFiles, LeaveNoShardOfAnEarlierRun) {
  write(50, target("t.bin", 10));
  write(25, target("t.bin", 10));
  EXPECT_EQ(read("t_*.bin"), counting(25));

  write(10, target("t.bin", 10));
  EXPECT_EQ(names(), Names{"t.bin"});

  write(12, target("t.bin", 10));
  EXPECT_EQ(names(), (Names{"t_000000.bin", "t_000001.bin"}));
}

TEST_F(TokenFiles, TouchNothingWithAnotherName) {
  const Names others = {"t_00000.bin", "t_0000000.bin", "t_00000x.bin", "t_val.bin",
                        "u_000000.bin"};
  for (const std::string& name : others) dir_.write(name, "mine");

  EXPECT_TRUE(numbered_files(target("t.bin", 10)).empty());
  write(5, target("t.bin", 10));

  for (const std::string& name : others) EXPECT_EQ(read_file(path(name)), "mine") << name;
}

TEST_F(TokenFiles, OfAnEarlierRunAreFound) {
  write(25, target("t.bin", 10));

  EXPECT_EQ(
      numbered_files(target("t.bin", 1)),
      (std::vector<fs::path>{path("t_000000.bin"), path("t_000001.bin"), path("t_000002.bin")}));
  EXPECT_TRUE(names_part_of(target("t.bin", 1), path("t_123456.bin")));
  EXPECT_TRUE(names_part_of(target("t.bin", 1), path("t.bin")));
  EXPECT_FALSE(names_part_of(target("t.bin", 1), path("u.bin")));
  EXPECT_FALSE(names_part_of(target("t.bin", 1), path("no/t.bin")));
}

TEST_F(TokenFiles, NeedTokens) {
  EXPECT_TRUE(mentions(error_of([&] { write(0, target("t.bin", 10)); }),
                       {"no tokens to write to", "t.bin", "--val-fraction"}));
  EXPECT_TRUE(mentions(error_of([&] { write(5, target("t.bin", 10), target("v.bin", 10), 0); }),
                       {"no tokens to write to", "v.bin"}));
  EXPECT_TRUE(names().empty());
}

TEST_F(TokenFiles, AreNotMoreThanTheirNumbersHaveDigits) {
  EXPECT_TRUE(mentions(error_of([&] { write(1'000'001, target("t.bin", 1)); }),
                       {"1000001 files", "--shard-tokens"}));
  EXPECT_TRUE(names().empty());
}

TEST_F(TokenFiles, AreAllThereOrNoneWhenTheDiskIsFull) {
  TokenSpool spool(path("t.bin"));
  spool.append(counting(3000));
  spool.finish();
  std::string message;
  {
    const FileSizeLimit limit(4000);  // the first shards fit, the last with its header does not
    message = error_of(
        [&] { write_token_files(spool, target("t.bin", 1000), target("v.bin", 2000), 1800); });
  }

  EXPECT_TRUE(mentions(message, {"v.bin.partial"}));
  EXPECT_EQ(names(), Names{"t.bin.tokens.partial"});
}

TEST_F(TokenFiles, AreNoneWhenTheWorkIsStopped) {
  TokenSpool spool(path("t.bin"));
  spool.append(counting(1000));
  spool.finish();
  const auto stop = [] { throw failure("test", "stopped"); };

  EXPECT_TRUE(mentions(
      error_of([&] { write_token_files(spool, target("t.bin", 100), {}, 0, stop); }), {"stopped"}));
  EXPECT_EQ(names(), Names{"t.bin.tokens.partial"});
}

TEST_F(TokenFiles, LeaveNothingWhenTheSpoolGoesAwayUnread) {
  {
    TokenSpool spool(path("t.bin"));
    spool.append(counting(10));
    EXPECT_EQ(spool.tokens(), 10);
  }

  EXPECT_TRUE(names().empty());
}

}  // namespace
}  // namespace weft
