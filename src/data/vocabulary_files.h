// The two files of a byte-level BPE vocabulary: a JSON object of tokens, and a list of merges.
//
// vocab.json (OpenAI: encoder.json)     {"!": 0, "\"": 1, ..., "\u0120the": 262, ...}
//   token, spelled in the byte alphabet -> id; every id from 0 to V - 1 once.
// merges.txt (OpenAI: vocab.bpe)        #version: 0.2
//                                       Ġ t
//   left, one space, right; in the order of rank. The first line is optional.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "data/bpe.h"

namespace weft {

struct VocabularyPaths {
  std::filesystem::path vocab, merges;

  bool operator==(const VocabularyPaths&) const = default;
};

// The pair of files that a directory holds, or that this file and its partner beside it are. Under
// Hugging Face's names first, then OpenAI's. Nothing if the directory holds none of these files, or
// the file has another name. Throws Error (kInput) that names the partner if only one is there.
std::optional<VocabularyPaths> find_vocabulary(const std::filesystem::path& path);

// Reads and checks both files; nothing in them is trusted. Throws Error (kInput) that names the
// file, the token or line, and what is expected.
BpeVocabulary read_vocabulary(const VocabularyPaths& paths);

// The files' contents, which read back as the same vocabulary. For GPT-2's own vocabulary they are
// OpenAI's files byte for byte.
std::string write_vocab_json(const BpeVocabulary& vocabulary);
std::string write_merges_txt(const BpeVocabulary& vocabulary);

}  // namespace weft
