// Corpus: text files, folders and JSON Lines, read as a stream of blocks in constant memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "data/json_lines.h"
#include "data/text_blocks.h"
#include "data/tokenizer.h"

namespace weft {

struct CorpusFile {
  std::string path;
  uintmax_t bytes = 0;
};

// The files that the paths stand for, in order: a file for itself; a folder for the *.txt, *.md and
// *.jsonl in it and below it, sorted by path. In folders, hidden names are passed over and links to
// folders are not followed. Throws Error (kInput): a missing path, a folder without such files, a
// token shard (it holds no text).
std::vector<CorpusFile> list_corpus(const std::vector<std::string>& paths);

struct CorpusFormat {
  TextCutter::Documents documents = {};  // of text files
  std::string field =
      {};  // of JSON Lines, which all files then are; empty: "text", of *.jsonl only
  size_t block_bytes = size_t{256} << 10;
};

// A stretch of a corpus that can be encoded apart from the rest.
using CorpusBlock = std::variant<TextBlock, JsonLinesBlock>;

// Calls visit with the blocks, in order. Each file begins a document. Throws Error (kInput) for a
// file that is no regular file or cannot be read, and what visit throws.
void read_corpus(const std::vector<CorpusFile>& files, const CorpusFormat& format,
                 const std::function<void(CorpusBlock)>& visit);

// The text of a block and where its documents begin. Thread-safe. Throws Error (kInput) that names
// the file and the line: JSON Lines that are malformed.
TextBlock text_of(const CorpusBlock& block, const CorpusFormat& format);

struct EncodedBlock {
  std::vector<Token> tokens;
  int64_t documents = 0;  // that begin in the block
};

struct EncodeRules {
  bool end_of_text = true;  // before each document
  SpecialTokens special = SpecialTokens::kOrdinary;
};

// The ids of a block. Thread-safe. Throws Error (kInput) that names the file: JSON Lines that are
// malformed, a special token that is refused.
EncodedBlock encode_block(const CorpusBlock& block, const CorpusFormat& format,
                          const Tokenizer& tokenizer, EncodeRules rules);

}  // namespace weft
