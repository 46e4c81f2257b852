#include "data/llmc_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <tuple>

#include "base/error.h"
#include "base/files.h"
#include "base/llmc_header.h"
#include "data/vocabulary_parts.h"

namespace weft {
namespace {

using std::filesystem::path;

static_assert(std::endian::native == std::endian::little, "llm.c's files are little-endian");

using Header = LlmcHeader;
constexpr int32_t kMagic = 20240328;
constexpr int32_t kGpt2EndOfText = 50256;

Error bad_file(const path& file, const std::string& what) {
  return input_error("tokenizer", fmt::format("{} {}", file.string(), what),
                     "copy it again, or make it with llm.c's train_gpt2.py");
}

void check_header(const path& file, const Header& header, size_t file_bytes) {
  const auto& [magic, version, tokens] = std::tie(header[0], header[1], header[2]);
  if (magic != kMagic) {
    throw bad_file(file, fmt::format("is not an llm.c tokenizer (magic number {}, expected {})",
                                     magic, kMagic));
  }
  if (version != 1 && version != 2) {
    throw bad_file(file,
                   fmt::format("is an llm.c tokenizer of version {}; weft reads 1 and 2", version));
  }
  if (file_bytes < sizeof(Header)) throw bad_file(file, "is truncated in its header");
  if (tokens < 1 || tokens > static_cast<int64_t>(kMaxTokens)) {
    throw bad_file(
        file, fmt::format("says that it has {} tokens; weft reads 1 to {}", tokens, kMaxTokens));
  }
}

std::vector<std::string> read_tokens(const path& file, std::string_view bytes, size_t n) {
  std::vector<std::string> tokens;
  for (size_t id = 0; id < n; ++id) {
    const size_t length = bytes.empty() ? 0 : static_cast<uint8_t>(bytes[0]);
    if (bytes.size() < 1 + length || bytes.empty()) {
      throw bad_file(file, fmt::format("is truncated: token {} of {} is cut", id, n));
    }
    if (length == 0) throw bad_file(file, fmt::format("has a token without bytes: {}", id));
    tokens.emplace_back(bytes.substr(1, length));
    bytes.remove_prefix(1 + length);
  }
  if (!bytes.empty()) {
    throw bad_file(file, fmt::format("has {} bytes after its {} tokens", bytes.size(), n));
  }
  return tokens;
}

}  // namespace

bool is_llmc_tokenizer(const path& file) {
  try {
    return read_llmc_header(MappedFile(file).bytes())[0] == kMagic;
  } catch (const Error&) {
    return false;
  }
}

LlmcTokenizer read_llmc_tokenizer(const path& file) {
  const MappedFile map(file);
  const Header header = read_llmc_header(map.bytes());
  check_header(file, header, map.bytes().size());
  const int32_t end_of_text = header[1] == 1 ? kGpt2EndOfText : header[3];
  if (end_of_text < 0 || end_of_text >= header[2]) {
    throw bad_file(file, fmt::format("says that end of text is token {}, and has {} tokens",
                                     end_of_text, header[2]));
  }
  const auto payload = map.bytes().subspan(sizeof(Header));
  return {read_tokens(file, {reinterpret_cast<const char*>(payload.data()), payload.size()},
                      static_cast<size_t>(header[2])),
          static_cast<Token>(end_of_text)};
}

}  // namespace weft
