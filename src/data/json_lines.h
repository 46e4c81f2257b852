// JSON Lines: a corpus with one JSON object per line, which holds a document in one of its fields.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "data/text_blocks.h"

namespace weft {

// Returns the string in `field` of a line, with escapes resolved. A byte order mark before the
// object is skipped. Throws Error (kInput) that begins with `place` ("corpus.jsonl, line 12")
// unless the line is one JSON object in UTF-8 that holds the field once, as a string.
std::string json_line_field(std::string_view line, const std::string& field,
                            const std::string& place);

// Whole lines of a file.
struct JsonLinesBlock {
  std::string path;
  int64_t first_line = 1;  // its number in the file
  std::string lines;

  size_t bytes() const { return lines.size(); }
};

// Returns the documents of the lines; blank lines hold none. Throws Error (kInput) as
// json_line_field does.
TextBlock parse_json_lines(const JsonLinesBlock& block, const std::string& field);

// Cuts a file at line ends into blocks of about `block_bytes`; a longer line is a block of its own.
class LineCutter {
 public:
  using Visit = std::function<void(JsonLinesBlock block)>;

  // Calls visit with the completed blocks, in order.
  LineCutter(std::string path, size_t block_bytes, Visit visit,
             size_t most_line_bytes = size_t{256} << 20);

  // Throws Error (kInput) if a line exceeds the limit: one document must fit in memory.
  void push(std::string_view bytes);
  // Ends the file and its last line.
  void finish();

 private:
  void push_little(std::string_view bytes);
  void emit();

  size_t block_bytes_, most_line_bytes_;
  Visit visit_;
  JsonLinesBlock block_;
  std::string rest_;  // the incomplete line after the block
};

}  // namespace weft
