#include "data/tokenizer.h"
#include "data/utf8.h"

namespace weft {
namespace {

constexpr std::string_view kReplacement = "\uFFFD";

}  // namespace

std::string Utf8Stream::push(std::string_view bytes) {
  pending_ += bytes;
  std::string text;
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const Utf8Char next = decode_utf8(rest);
    if (next.kind == Utf8Kind::kIncomplete) break;
    text += next.kind == Utf8Kind::kValid ? rest.substr(0, next.bytes) : kReplacement;
    rest.remove_prefix(next.bytes);
  }
  pending_.erase(0, pending_.size() - rest.size());
  return text;
}

std::string Utf8Stream::finish() {
  const bool is_cut = !pending_.empty();
  pending_.clear();
  return std::string(is_cut ? kReplacement : "");
}

}  // namespace weft
