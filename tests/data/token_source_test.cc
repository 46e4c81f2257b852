#include "data/token_source.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

struct Sample {
  std::vector<int32_t> inputs, targets;
};

Sample sample_of(const TokenSource& source, int64_t i, int64_t T) {
  Sample sample{std::vector<int32_t>(T), std::vector<int32_t>(T)};
  source.sample(i, sample.inputs, sample.targets);
  return sample;
}

std::vector<Token> counting(size_t n, Token first = 0) {
  std::vector<Token> tokens(n);
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

std::vector<int32_t> range(int32_t begin, int32_t end) {
  std::vector<int32_t> values(static_cast<size_t>(end - begin));
  std::iota(values.begin(), values.end(), begin);
  return values;
}

// A shard as bytes, written independently of the code under test.
std::string shard_bytes(int32_t magic, int32_t version, int32_t count, size_t payload_tokens) {
  std::array<int32_t, 256> header = {magic, version, count};
  std::string bytes(reinterpret_cast<const char*>(header.data()), 1024);
  for (size_t i = 0; i < payload_tokens; ++i) {
    bytes += static_cast<char>(i & 0xff);
    bytes += static_cast<char>(i >> 8);
  }
  return bytes;
}

// A directory whose shards cut the tokens 0, 1, 2, ... into pieces of these lengths.
class ShardDirectory {
 public:
  explicit ShardDirectory(const std::vector<size_t>& lengths) {
    Token first = 0;
    for (size_t i = 0; i < lengths.size(); ++i) {
      write_token_shard(dir_ / ("train_" + std::to_string(i) + ".bin"),
                        counting(lengths[i], first));
      first = static_cast<Token>(first + lengths[i]);
    }
  }

  TokenSource open() const { return TokenSource::open_shards({(dir_ / "train_*.bin").string()}); }

 private:
  TempDirectory dir_;
};

// The error of opening a file with these bytes.
std::string error_of_opening(const std::string& bytes) {
  const TempDirectory dir;
  const std::string path = dir.write("bad.bin", bytes);
  std::string message = error_of([&] { TokenSource::open_shards({path}); });
  EXPECT_TRUE(mentions(message, {path}));
  return message;
}

TEST(TokenSource, TargetsAreInputsShiftedByOne) {
  const TokenSource source = TokenSource::from_tokens(counting(100));

  const Sample sample = sample_of(source, 3, 7);

  EXPECT_EQ(sample.inputs, range(21, 28));
  EXPECT_EQ(sample.targets, range(22, 29));
}

TEST(TokenSource, EveryTokenIsATargetOnceWhenTheStreamDivides) {
  const TokenSource source =
      TokenSource::from_tokens(counting(36));  // 5 samples of 7, and one more

  std::vector<int32_t> targets;
  for (int64_t i = 0; i < source.samples(7); ++i) {
    const Sample sample = sample_of(source, i, 7);
    targets.insert(targets.end(), sample.targets.begin(), sample.targets.end());
  }

  EXPECT_EQ(targets, range(1, 36));
}

TEST(TokenSource, TheLastSampleEndsAtTheLastToken) {
  const TokenSource source = TokenSource::from_tokens(counting(40));

  ASSERT_EQ(source.samples(7), 6);
  EXPECT_EQ(sample_of(source, 5, 7).targets, range(33, 40));
}

TEST(TokenSource, CountsSamplesUpToTheSmallestStream) {
  for (int64_t T = 1; T < 20; ++T) {
    for (int64_t n = T + 1; n < 60; ++n) {
      const TokenSource source = TokenSource::from_tokens(counting(static_cast<size_t>(n)));
      const int64_t expected = (n - 1) / T + ((n - 1) % T != 0);
      ASSERT_EQ(source.samples(T), expected) << n << " tokens, T = " << T;
    }
  }
}

TEST(TokenSource, AStreamShorterThanOneSampleIsAnError) {
  const TokenSource source = TokenSource::from_tokens(counting(7));

  EXPECT_EQ(source.samples(6), 1);
  EXPECT_TRUE(mentions(error_of([&] { source.samples(7); }), {"7 tokens", "--seq-len"}));
  EXPECT_TRUE(mentions(error_of([&] { TokenSource::from_tokens({}).samples(1); }), {"0 tokens"}));
}

TEST(TokenSource, SamplesCrossFromOneShardIntoTheNext) {
  const ShardDirectory shards({5, 1, 13, 2, 20});
  const TokenSource cut = shards.open();
  const TokenSource whole = TokenSource::from_tokens(counting(41));

  ASSERT_EQ(cut.tokens(), 41);
  for (const int64_t T : {1, 2, 3, 7, 11, 40}) {
    ASSERT_EQ(cut.samples(T), whole.samples(T));
    for (int64_t i = 0; i < cut.samples(T); ++i) {
      const Sample a = sample_of(cut, i, T), b = sample_of(whole, i, T);
      EXPECT_EQ(a.inputs, b.inputs) << i << ", T = " << T;
      EXPECT_EQ(a.targets, b.targets) << i << ", T = " << T;
    }
  }
}

TEST(TokenSource, ACopyOutlivesItsOriginal) {
  TokenSource copy;
  {
    const TokenSource original = TokenSource::from_tokens(counting(10));
    copy = original;
  }

  EXPECT_EQ(sample_of(copy, 0, 9).inputs, range(0, 9));
}

TEST(TokenSource, PatternsExpandInSortedOrderAndPathsInTheirOwn) {
  const TempDirectory dir;
  write_token_shard(dir / "b.bin", counting(2, 20));
  write_token_shard(dir / "a.bin", counting(2, 10));
  write_token_shard(dir / "c.bin", counting(2, 30));
  const std::string pattern = (dir / "[ab].bin").string();

  const TokenSource source = TokenSource::open_shards({(dir / "c.bin").string(), pattern});

  EXPECT_EQ(sample_of(source, 0, 5).inputs, (std::vector<int32_t>{30, 31, 10, 11, 20}));
}

TEST(TokenSource, APathWithGlobCharactersStandsForItself) {
  const TempDirectory dir;
  write_token_shard(dir / "run[1].bin", counting(5));

  const TokenSource source = TokenSource::open_shards({(dir / "run[1].bin").string()});

  EXPECT_EQ(source.tokens(), 5);
}

TEST(TokenSource, APatternWithoutMatchIsNamed) {
  const TempDirectory dir;
  const std::string pattern = (dir / "train_*.bin").string();

  EXPECT_TRUE(mentions(error_of([&] { TokenSource::open_shards({pattern}); }),
                       {"no file matches", pattern}));
}

TEST(TokenSource, RefusesFilesThatAreNotWholeShards) {
  EXPECT_EQ(error_of([] {  // the shard that the next ones spoil
              const TempDirectory dir;
              TokenSource::open_shards({dir.write("ok", shard_bytes(20240520, 1, 3, 3)).string()});
            }),
            "");
  EXPECT_TRUE(mentions(error_of_opening(shard_bytes(20240520, 1, 3, 2)),
                       {"truncated", "1028 bytes", "3 tokens = 1030 bytes"}));
  EXPECT_TRUE(mentions(error_of_opening(shard_bytes(20240520, 1, 3, 4)), {"trailing bytes"}));
  EXPECT_TRUE(mentions(error_of_opening(shard_bytes(20240520, 1, 3, 3) + "x"), {"trailing bytes"}));
  EXPECT_TRUE(mentions(error_of_opening(shard_bytes(20240520, 1, 3, 3).substr(0, 500)),
                       {"truncated", "500 bytes"}));
  EXPECT_TRUE(mentions(error_of_opening(shard_bytes(20240520, 1, 0, 0)), {"no tokens"}));
  EXPECT_TRUE(mentions(error_of_opening(shard_bytes(20240520, 1, -1, 3)), {"no tokens"}));
  EXPECT_TRUE(mentions(error_of_opening(shard_bytes(20240520, 1, 0x7fffffff, 3)),
                       {"truncated", "4294968318"}));
  EXPECT_TRUE(mentions(error_of_opening(shard_bytes(20240520, 2, 3, 3)), {"version 2"}));
  EXPECT_TRUE(mentions(error_of_opening(shard_bytes(7, 1, 3, 3)), {"not a token shard"}));
  EXPECT_TRUE(mentions(error_of_opening("some text"), {"not a token shard"}));
  EXPECT_TRUE(mentions(error_of_opening(""), {"not a token shard"}));
}

TEST(TokenSource, RefusesALlama3ShardByName) {
  EXPECT_TRUE(mentions(error_of_opening(shard_bytes(20240801, 7, 3, 6)), {"LLaMA-3", "16 bits"}));
}

TEST(TokenSource, FindsTheLargestTokenInAnyShard) {
  std::vector<Token> tokens(1009, 5);
  tokens[700] = 65535;

  EXPECT_EQ(TokenSource::from_tokens(tokens).largest_token(), 65535);
  EXPECT_EQ(ShardDirectory({3, 9, 4}).open().largest_token(), 15);
}

TEST(TokenSource, TheFingerprintSeesEveryTokenAndItsPlace) {
  const std::vector<Token> tokens = counting(64);
  const uint64_t original = TokenSource::from_tokens(tokens).fingerprint();

  for (size_t i = 0; i < tokens.size(); ++i) {
    std::vector<Token> changed = tokens;
    changed[i] ^= 1;
    EXPECT_NE(TokenSource::from_tokens(changed).fingerprint(), original) << i;
  }
  for (size_t i = 1; i < tokens.size(); ++i) {
    std::vector<Token> swapped = tokens;
    std::swap(swapped[i - 1], swapped[i]);
    EXPECT_NE(TokenSource::from_tokens(swapped).fingerprint(), original) << i;
  }
  EXPECT_NE(TokenSource::from_tokens(counting(63)).fingerprint(), original);
}

TEST(TokenSource, TheFingerprintDoesNotSeeTheShards) {
  const uint64_t whole = TokenSource::from_tokens(counting(40)).fingerprint();

  EXPECT_EQ(ShardDirectory({40}).open().fingerprint(), whole);
  EXPECT_EQ(ShardDirectory({1, 12, 27}).open().fingerprint(), whole);
}

TEST(TokenShard, IsWrittenAsTheFormatSays) {
  const TempDirectory dir;

  write_token_shard(dir / "shard.bin", counting(300));

  EXPECT_EQ(read_file(dir / "shard.bin"), shard_bytes(20240520, 1, 300, 300));
}

TEST(TokenShard, IsRecognisedByItsFirstBytes) {
  const TempDirectory dir;
  const std::string pipe = dir / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);

  EXPECT_TRUE(is_token_shard(dir.write("shard", shard_bytes(20240520, 1, 3, 3))));
  EXPECT_TRUE(is_token_shard(dir.write("cut", shard_bytes(20240520, 1, 3, 3).substr(0, 99))));
  EXPECT_TRUE(is_token_shard(dir.write("llama", shard_bytes(20240801, 7, 3, 6))));
  EXPECT_FALSE(is_token_shard(dir.write("model", shard_bytes(20240326, 3, 3, 3))));
  EXPECT_FALSE(is_token_shard(dir.write("text", "Once upon a time")));
  EXPECT_FALSE(is_token_shard(dir.write("short", "abc")));
  EXPECT_FALSE(is_token_shard(dir.write("empty", "")));
  EXPECT_FALSE(is_token_shard(dir / "missing"));
  EXPECT_FALSE(is_token_shard(dir.path()));
  EXPECT_FALSE(is_token_shard(pipe));
}

TEST(TokenShard, RefusesCountsThatTheHeaderCannotHold) {
  const TempDirectory dir;
  const Token token = 0;
  const Vector<const Token> too_many(&token, size_t{1} << 31);  // refused before it is read

  EXPECT_TRUE(mentions(error_of([&] { write_token_shard(dir / "shard", too_many); }),
                       {"2147483648", "several shards"}));
  EXPECT_TRUE(mentions(error_of([&] { write_token_shard(dir / "shard", {}); }), {"no tokens"}));
  EXPECT_FALSE(std::filesystem::exists(dir / "shard"));
}

}  // namespace
}  // namespace weft
