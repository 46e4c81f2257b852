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

// Finds the pair of files in a directory, or the pair that this file and its partner beside it
// form; first under Hugging Face's names, then under OpenAI's. Empty if the directory holds none of
// these files, or the file has another name. Throws Error (kInput) that names the partner if only
// one file of a pair exists.
std::optional<VocabularyPaths> find_vocabulary(const std::filesystem::path& path);

// Reads both files and checks all of them. Throws Error (kInput) that names the file, the token or
// line, and what was expected.
BpeVocabulary read_vocabulary(const VocabularyPaths& paths);

// Returns the contents of files that read back as the same vocabulary. For GPT-2's own vocabulary,
// they are OpenAI's files byte for byte.
std::string write_vocab_json(const BpeVocabulary& vocabulary);
std::string write_merges_txt(const BpeVocabulary& vocabulary);

}  // namespace weft
