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

// Lists the files that the paths name, in order. A folder stands for the *.txt, *.md and *.jsonl
// files in it and below it, sorted by path; hidden names are skipped and links to folders are not
// followed. Throws Error (kInput) for a missing path, a folder without such files, or a token shard
// (it holds no text).
std::vector<CorpusFile> list_corpus(const std::vector<std::string>& paths);

struct CorpusFormat {
  TextCutter::Documents documents = {};  // of text files
  std::string field =
      {};  // of JSON Lines, which all files then are; empty: "text", of *.jsonl only
  size_t block_bytes = size_t{256} << 10;
};

// A part of a corpus that can be encoded independently of the rest.
using CorpusBlock = std::variant<TextBlock, JsonLinesBlock>;

// Calls visit with the blocks, in order. Each file begins a document. Throws Error (kInput) for a
// file that is not a regular file or cannot be read, and passes on what visit throws.
void read_corpus(const std::vector<CorpusFile>& files, const CorpusFormat& format,
                 const std::function<void(CorpusBlock)>& visit);

// Returns the text of a block and where its documents begin. Thread-safe. Throws Error (kInput)
// that names file and line if JSON Lines are malformed.
TextBlock text_of(const CorpusBlock& block, const CorpusFormat& format);

struct EncodedBlock {
  std::vector<Token> tokens;
  int64_t documents = 0;  // that begin in the block
};

struct EncodeRules {
  bool end_of_text = true;  // before each document
  SpecialTokens special = SpecialTokens::kOrdinary;
};

// Encodes a block. Thread-safe. Throws Error (kInput) that names the file if JSON Lines are
// malformed or the text holds a special token that is refused.
EncodedBlock encode_block(const CorpusBlock& block, const CorpusFormat& format,
                          const Tokenizer& tokenizer, EncodeRules rules);

}  // namespace weft
