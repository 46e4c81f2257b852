// TextCutter: a stream of text becomes blocks that can be encoded one apart from the other.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

// A stretch of a corpus. Encoding what lies between its cuts gives the ids of the whole.
struct TextBlock {
  std::string origin;  // for messages: the file
  std::string text;
  std::vector<size_t> begins;  // where documents begin in it, ascending

  size_t bytes() const { return text.size(); }

  // Documents without text do not count.
  void append(std::string_view part, bool begins_document);
};

// Cuts at the ends of documents and, inside a document, at last_safe_cut. A block has about
// `block_bytes`, however the text arrives; where a document has no place to cut for longer, its
// block grows until there is one.
class TextCutter {
 public:
  struct Documents {
    std::string separator;        // between the documents of a file; empty: a file is one document
    bool keep_separator = false;  // at the end of the document before it
  };
  using Visit = std::function<void(TextBlock block)>;

  // visit gets the blocks in order. REQUIRES: block_bytes >= 1.
  TextCutter(std::string path, Documents documents, size_t block_bytes, Visit visit);

  void push(std::string_view bytes);
  // The file ends, and its last document with it.
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
  std::string rest_;              // the text behind the block: it holds no whole separator
  size_t searched_ = 0;           // no separator begins in this much of rest_
  size_t next_attempt_ = 0;       // the size of rest_ at which looking for a safe cut is worth it
  bool inside_document_ = false;  // the document that rest_ continues has begun
};

}  // namespace weft
