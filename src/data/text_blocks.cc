#include "data/text_blocks.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "data/pretokenizer.h"

namespace weft {

void TextBlock::append(std::string_view part, bool begins_document) {
  if (part.empty()) return;
  if (begins_document) begins.push_back(text.size());
  text += part;
}

TextCutter::TextCutter(std::string path, Documents documents, size_t block_bytes, Visit visit)
    : documents_(std::move(documents)),
      block_bytes_(block_bytes),
      visit_(std::move(visit)),
      block_{std::move(path), {}, {}},
      next_attempt_(block_bytes) {
  weft::require(block_bytes >= 1, "a block has at least one byte");
}

void TextCutter::push(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t n = std::min(bytes.size(), block_bytes_);
    push_little(bytes.substr(0, n));
    bytes.remove_prefix(n);
  }
}

void TextCutter::push_little(std::string_view bytes) {
  rest_ += bytes;
  take_documents();
  if (block_.text.size() >= block_bytes_) emit();
  if (rest_.size() >= next_attempt_) take_safe_part();
}

// Takes the documents whose separator has arrived. rest_ is cut only once, because cutting it for
// each of many short documents would take quadratic time.
void TextCutter::take_documents() {
  const size_t separator = documents_.separator.size();
  if (separator == 0) {
    searched_ = rest_.size();
    return;
  }
  size_t begin = 0;
  for (size_t at = 0; (at = rest_.find(documents_.separator, searched_)) != rest_.npos;) {
    const size_t end = at + (documents_.keep_separator ? separator : 0);
    block_.append(std::string_view(rest_).substr(begin, end - begin), !inside_document_);
    inside_document_ = false;
    begin = searched_ = at + separator;
  }
  drop(begin);
  // The last bytes may be the beginning of the next separator.
  searched_ = rest_.size() - std::min(rest_.size(), separator - 1);
}

// Searches again only when the rest has doubled, so that a text without a safe cut takes linear
// time.
void TextCutter::take_safe_part() {
  const size_t cut = last_safe_cut(std::string_view(rest_).substr(0, searched_));
  if (cut == 0) {
    next_attempt_ = 2 * rest_.size();
    return;
  }
  take(cut);
  emit();
}

void TextCutter::finish() {
  take(rest_.size());
  emit();
}

void TextCutter::take(size_t bytes) {
  block_.append(std::string_view(rest_).substr(0, bytes), !inside_document_);
  inside_document_ = inside_document_ || bytes > 0;
  drop(bytes);
}

void TextCutter::drop(size_t bytes) {
  if (bytes == 0) return;
  rest_.erase(0, bytes);
  searched_ -= std::min(searched_, bytes);
  next_attempt_ = block_bytes_;
}

void TextCutter::emit() {
  if (!block_.text.empty()) visit_(std::exchange(block_, {block_.origin, {}, {}}));
}

}  // namespace weft
