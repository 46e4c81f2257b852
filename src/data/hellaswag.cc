#include "data/hellaswag.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <span>
#include <string>

#include "base/error.h"
#include "base/llmc_header.h"

namespace weft {
namespace {

static_assert(std::endian::native == std::endian::little, "HellaSwag files are little-endian");

using Header = LlmcHeader;
constexpr int32_t kMagic = 20240522;
constexpr int32_t kVersion = 1;
constexpr uint16_t kMarker = 65535;
constexpr const char* kAgain = "copy or make it again";

Error malformed(const std::filesystem::path& path, const std::string& what,
                const std::string& hint = {}) {
  return input_error("hellaswag", path.string() + " " + what, hint);
}

Header checked_header(const std::filesystem::path& path, Vector<const std::byte> bytes) {
  const Header header = read_llmc_header(bytes);
  if (header[0] != kMagic) {
    throw malformed(path, fmt::format("is not a HellaSwag file (magic number {}, expected {})",
                                      header[0], kMagic));
  }
  if (header[1] != kVersion) {
    throw malformed(path, fmt::format("is a HellaSwag file of version {}; weft reads version {}",
                                      header[1], kVersion));
  }
  if (bytes.size() < sizeof(header)) {
    throw malformed(path,
                    fmt::format("is truncated: {} bytes, the header alone has {}", bytes.size(),
                                sizeof(header)),
                    kAgain);
  }
  if (header[2] <= 0) {
    throw malformed(path, fmt::format("has no examples (its header says {})", header[2]));
  }
  return header;
}

// Reads one example from its numbers; `rest` holds the numbers that no field has consumed yet.
class ExampleReader {
 public:
  ExampleReader(const std::filesystem::path& path, size_t index) : path_(path), index_(index) {}

  // Returns the numbers of the example at the beginning of `rest`; the second is their size.
  Vector<const uint16_t> extent(Vector<const uint16_t> rest, int64_t longest_bytes) const {
    constexpr size_t kFixed = 5;  // marker, bytes, index, label, number of completions
    if (rest.size() < kFixed) throw truncated();
    if (rest[0] != kMarker) {
      throw error(fmt::format("begins with {}, not with {}", rest[0], kMarker));
    }
    const size_t bytes = rest[1];
    if (bytes % sizeof(uint16_t) != 0 || bytes < kFixed * sizeof(uint16_t) ||
        static_cast<int64_t>(bytes) > longest_bytes) {
      throw error(fmt::format("cannot have {} bytes (the longest has {})", bytes, longest_bytes));
    }
    if (bytes > rest.size_bytes()) throw truncated();
    return rest.first(bytes / sizeof(uint16_t));
  }

  HellaSwagExample read(Vector<const uint16_t> numbers) const {
    check_fields(numbers);
    HellaSwagExample example;
    example.label = numbers[3];
    Vector<const uint16_t> rest = numbers.subspan(5);
    example.context = take_tokens(rest, "context");
    for (Vector<const uint16_t>& completion : example.completions) {
      completion = take_tokens(rest, "completion");
    }
    if (!rest.empty()) throw error(fmt::format("has {} numbers too many", rest.size()));
    return example;
  }

 private:
  Error error(const std::string& what) const {
    return malformed(path_, fmt::format("is damaged: example {} {}", index_, what), kAgain);
  }
  Error truncated() const {
    return malformed(path_, fmt::format("is truncated in example {}", index_), kAgain);
  }

  void check_fields(Vector<const uint16_t> numbers) const {
    constexpr int kCompletions = HellaSwagExample::kCompletions;
    // The index has 16 bits, so in a longer file it wraps around to 0.
    if (numbers[2] != static_cast<uint16_t>(index_)) {
      throw error(fmt::format("says that it is example {}", numbers[2]));
    }
    if (numbers[3] >= kCompletions) {
      throw error(fmt::format("has the label {}, which is not in [0, 3]", numbers[3]));
    }
    if (numbers[4] != kCompletions) {
      throw error(fmt::format("has {} completions, not {}", numbers[4], kCompletions));
    }
  }

  Vector<const uint16_t> take_tokens(Vector<const uint16_t>& rest, const char* what) const {
    const size_t n = rest.empty() ? 0 : rest[0];
    if (n == 0) throw error(fmt::format("has a {} without tokens", what));
    if (n >= rest.size()) {
      throw error(fmt::format("has a {} of {} tokens beyond its own bytes", what, n));
    }
    const Vector<const uint16_t> tokens = rest.subspan(1, n);
    rest = rest.subspan(1 + n);
    return tokens;
  }

  const std::filesystem::path& path_;
  size_t index_;
};

uint16_t largest_of(Vector<const uint16_t> tokens) {
  return *std::max_element(tokens.begin(), tokens.end());
}

}  // namespace

// The examples are aligned: a mapping starts at a page, and the header has 1024 bytes.
HellaSwag::HellaSwag(const std::filesystem::path& path) : file_(path) {
  const Header header = checked_header(path, file_.bytes());
  const Vector<const std::byte> payload = file_.bytes().subspan(sizeof(Header));
  Vector<const uint16_t> rest(reinterpret_cast<const uint16_t*>(payload.data()),
                              payload.size() / sizeof(uint16_t));
  for (size_t i = 0; i < static_cast<size_t>(header[2]); ++i) {
    const ExampleReader reader(path, i);
    const Vector<const uint16_t> numbers = reader.extent(rest, header[3]);
    examples_.push_back(reader.read(numbers));
    rest = rest.subspan(numbers.size());
  }
  const size_t trailing = rest.size_bytes() + payload.size() % sizeof(uint16_t);
  if (trailing != 0) {
    throw malformed(path,
                    fmt::format("has {} trailing bytes after its {} examples", trailing, header[2]),
                    kAgain);
  }
}

int64_t HellaSwag::largest_token(size_t n) const {
  uint16_t largest = 0;
  for (size_t i = 0; i < n; ++i) {
    largest = std::max(largest, largest_of(examples_[i].context));
    for (const Vector<const uint16_t>& completion : examples_[i].completions) {
      largest = std::max(largest, largest_of(completion));
    }
  }
  return largest;
}

bool is_hellaswag(const std::filesystem::path& path) try {
  const MappedFile file(path);
  return read_llmc_header(file.bytes())[0] == kMagic;
} catch (const Error&) {
  return false;
}

}  // namespace weft
