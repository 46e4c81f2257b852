#include "data/token_shard.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "data/token_source.h"
#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

constexpr int32_t kMagic = 20240520;
constexpr int32_t kLlama3Magic = 20240801;

std::vector<Token> counting(size_t n) {
  std::vector<Token> tokens(n);
  std::iota(tokens.begin(), tokens.end(), Token{0});
  return tokens;
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

std::string make_pipe(const TempDirectory& dir) {
  std::string pipe = dir / "pipe";
  EXPECT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  return pipe;
}

std::string open_error(const std::string& path, TokenFormat format = TokenFormat::kShard) {
  std::string message = error_of([&] { TokenSource::open_shards({path}, format); });
  EXPECT_TRUE(mentions(message, {path}));
  return message;
}

// The error of opening a file with these bytes.
std::string bytes_error(std::string_view bytes, TokenFormat format = TokenFormat::kShard) {
  const TempDirectory dir;
  return open_error(dir.write("bad.bin", bytes), format);
}

TEST(TokenShard, IsReadAsTheFormatSays) {
  const TempDirectory dir;
  const std::string path = dir.write("ok.bin", shard_bytes(kMagic, 1, 300, 300));

  const MappedFile file(path);
  const Vector<const Token> tokens = tokens_in(path, file, TokenFormat::kShard);

  EXPECT_EQ(std::vector<Token>(tokens.begin(), tokens.end()), counting(300));
}

TEST(TokenShard, TruncatedAnywhereIsRefused) {
  const TempDirectory dir;
  const std::string path = dir.write("cut.bin", shard_bytes(kMagic, 1, 3, 3));
  for (size_t n = 1030; n-- > 0;) {
    std::filesystem::resize_file(path, n);

    const char* reason = n < 4 ? "not a token shard" : "truncated";
    EXPECT_TRUE(mentions(open_error(path), {"[data.open]", reason})) << n;
  }
}

TEST(TokenShard, SaysHowManyBytesAreMissing) {
  EXPECT_TRUE(mentions(bytes_error(shard_bytes(kMagic, 1, 3, 2)),
                       {"truncated", "1028 bytes", "3 tokens = 1030 bytes", "make it again"}));
  EXPECT_TRUE(mentions(bytes_error(shard_bytes(kMagic, 1, 3, 3).substr(0, 500)),
                       {"truncated: 500 bytes", "1024", "make it again"}));
}

TEST(TokenShard, WithTrailingBytesIsRefused) {
  EXPECT_TRUE(mentions(bytes_error(shard_bytes(kMagic, 1, 3, 4)),
                       {"trailing bytes", "1032 bytes", "1030 bytes"}));
  EXPECT_TRUE(mentions(bytes_error(shard_bytes(kMagic, 1, 3, 3) + "x"), {"trailing bytes"}));
}

TEST(TokenShard, WithACountThatCannotBeIsRefused) {
  EXPECT_TRUE(mentions(bytes_error(shard_bytes(kMagic, 1, 0, 0)), {"no tokens", "says 0"}));
  EXPECT_TRUE(mentions(bytes_error(shard_bytes(kMagic, 1, -1, 3)), {"no tokens", "says -1"}));
  EXPECT_TRUE(mentions(bytes_error(shard_bytes(kMagic, 1, INT32_MIN, 3)), {"no tokens"}));
  EXPECT_TRUE(mentions(bytes_error(shard_bytes(kMagic, 1, INT32_MAX, 3)),
                       {"truncated", "2147483647 tokens = 4294968318 bytes"}))
      << "the size must not overflow";
}

TEST(TokenShard, OfAnotherKindIsRefused) {
  EXPECT_TRUE(mentions(bytes_error(shard_bytes(kMagic, 0, 3, 3)), {"version 0", "version 1"}));
  EXPECT_TRUE(mentions(bytes_error(shard_bytes(kMagic, 2, 3, 3)), {"version 2", "version 1"}));
  EXPECT_TRUE(mentions(bytes_error(shard_bytes(kLlama3Magic, 7, 3, 6)),
                       {"LLaMA-3", "32 bits", "16 bits", "tokenize the text for GPT-2"}));
  EXPECT_TRUE(mentions(bytes_error(shard_bytes(7, 1, 3, 3)), {"magic number 7", "20240520"}));
}

TEST(TokenShard, WithoutItsMagicNumberMayBeNanoGpts) {
  EXPECT_TRUE(mentions(bytes_error(shard_bytes(7, 1, 3, 3)), {"--data-format raw-u16"}));
  EXPECT_TRUE(mentions(bytes_error("ab"), {"--data-format raw-u16"}));
  for (const std::string odd : {"", "abc", "some text"}) {
    const std::string message = bytes_error(odd);
    EXPECT_TRUE(mentions(message, {"not a token shard", "weft tokenize"}));
    EXPECT_EQ(message.find("raw-u16"), message.npos) << message;
  }
}

TEST(TokenShard, ThatIsNoFileIsRefused) {
  const TempDirectory dir;

  for (const TokenFormat format : {TokenFormat::kShard, TokenFormat::kRawU16}) {
    EXPECT_TRUE(mentions(open_error(dir / "absent.bin", format), {"no file matches"}));
    EXPECT_TRUE(mentions(open_error(dir.path(), format), {"directory"}));
  }
  EXPECT_TRUE(mentions(open_error(make_pipe(dir)), {"not a regular file"}));
}

TEST(RawTokens, NeedAnEvenNumberOfBytes) {
  EXPECT_TRUE(mentions(bytes_error("", TokenFormat::kRawU16), {"is empty"}));
  EXPECT_TRUE(mentions(bytes_error("x", TokenFormat::kRawU16), {"1 bytes", "even", "truncated"}));
  EXPECT_TRUE(mentions(bytes_error("12345", TokenFormat::kRawU16), {"5 bytes", "even"}));
}

TEST(TokenShard, IsWrittenAsTheFormatSays) {
  const TempDirectory dir;

  write_token_shard(dir / "shard.bin", counting(300));

  EXPECT_EQ(read_file(dir / "shard.bin"), shard_bytes(20240520, 1, 300, 300));
}

TEST(TokenShard, IsRecognisedByItsFirstBytes) {
  const TempDirectory dir;
  const std::string pipe = make_pipe(dir);

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
