#include "data/token_source.h"

#include <gtest/gtest.h>

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

// A directory of shards that hold the tokens 0, 1, 2, ... in pieces of these lengths.
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

TEST(TokenSource, TargetsAreInputsShiftedByOne) {
  const TokenSource source = TokenSource::from_tokens(counting(100));

  const Sample sample = sample_of(source, 3, 7);

  EXPECT_EQ(sample.inputs, range(21, 28));
  EXPECT_EQ(sample.targets, range(22, 29));
}

TEST(TokenSource, EveryTokenIsATargetOnceWhenTheStreamDivides) {
  const TokenSource source =
      TokenSource::from_tokens(counting(36));  // 5 samples of 7 tokens and one more token

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

TEST(TokenSource, CopiesAnyStretchAcrossShards) {
  const TokenSource source = ShardDirectory({5, 1, 13, 2}).open();

  for (int32_t begin = 0; begin <= 21; ++begin) {
    for (int32_t end = begin; end <= 21; ++end) {
      std::vector<int32_t> out(static_cast<size_t>(end - begin));
      source.copy(begin, out);
      ASSERT_EQ(out, range(begin, end));
    }
  }
}

TEST(TokenSource, ReadsHeaderlessTokensWhereTheFormatSaysSo) {
  const TempDirectory dir;
  dir.write("a.bin", std::string("\x01\x00\x02\x01", 4));
  dir.write("b.bin", std::string("\xFF\xFF", 2));

  const TokenSource source =
      TokenSource::open_shards({(dir / "*.bin").string()}, TokenFormat::kRawU16);

  EXPECT_EQ(source.tokens(), 3);
  EXPECT_EQ(sample_of(source, 0, 2).inputs, (std::vector<int32_t>{1, 258}));
  EXPECT_EQ(source.largest_token(), 65535);
  EXPECT_TRUE(source.warnings().empty());
}

TEST(TokenSource, WarnsOfAShardThatIsReadWithoutItsHeader) {
  const TempDirectory dir;
  const std::string shard = dir / "shard.bin";
  write_token_shard(shard, counting(3));

  const TokenSource source = TokenSource::open_shards({shard}, TokenFormat::kRawU16);

  EXPECT_EQ(source.tokens(), 515);
  ASSERT_EQ(source.warnings().size(), 1u);
  EXPECT_TRUE(mentions(source.warnings()[0], {shard, "looks like an llm.c shard", "512 junk"}));
}

}  // namespace
}  // namespace weft
