// TextCutter: cuts a stream of text into blocks that can be encoded independently.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

// A part of a corpus. The ids of all parts together are the ids of the whole.
struct TextBlock {
  std::string origin;  // for messages: the file
  std::string text;
  std::vector<size_t> begins;  // positions in the text where documents begin, ascending

  size_t bytes() const { return text.size(); }

  // Documents without text are left out.
  void append(std::string_view part, bool begins_document);
};

// Cuts at the ends of documents and, inside a document, at last_safe_cut. A block has about
// `block_bytes`, however the text arrives. If a document has no safe cut for longer, its block
// grows until there is one.
class TextCutter {
 public:
  struct Documents {
    std::string separator;        // between the documents of a file; empty: a file is one document
    bool keep_separator = false;  // the separator stays at the end of the document before it
  };
  using Visit = std::function<void(TextBlock block)>;

  // Calls visit with the completed blocks, in order. REQUIRES: block_bytes >= 1.
  TextCutter(std::string path, Documents documents, size_t block_bytes, Visit visit);

  void push(std::string_view bytes);
  // Ends the file and its last document.
  void finish();

 private:
  void push_little(std::string_view bytes);
  void take_documents();
  void take_safe_part();
  void take(size_t bytes);
  void drop(size_t bytes);
  void emit();

  Documents documents_;
  size_t block_bytes_;
  Visit visit_;
  TextBlock block_;
  std::string rest_;              // the text after the block; it holds no whole separator
  size_t searched_ = 0;           // no separator begins in the first searched_ bytes of rest_
  size_t next_attempt_ = 0;       // the size of rest_ at which to look for a safe cut again
  bool inside_document_ = false;  // rest_ continues a document that has begun
};

}  // namespace weft
