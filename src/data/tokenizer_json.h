// tokenizer.json: a whole tokenizer in one file, as Hugging Face's tokenizers library writes it.
//
//   {"added_tokens": [{"id": 50256, "content": "<|endoftext|>", "special": true, ...}],
//    "normalizer": null,
//    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true, ...},
//    "decoder": {"type": "ByteLevel", ...},
//    "model": {"type": "BPE", "vocab": {"!": 0, ...}, "merges": ["Ġ t", ...]}, ...}
//
// Merges are strings of two tokens with one space between or, since tokenizers 0.20, pairs of
// strings: ["Ġ", "t"].
#pragma once

#include <filesystem>
#include <string>

#include "data/bpe.h"

namespace weft {

// Reads the file and checks all of it. Throws Error (kInput) if it is malformed, or if one of its
// settings gives other ids than GPT-2's tokenizer with the same vocabulary.
BpeVocabulary read_tokenizer_json(const std::filesystem::path& file);

// Returns the content of a file that reads back as the same vocabulary. Merges are written as
// strings, which every version of the library reads.
std::string write_tokenizer_json(const BpeVocabulary& vocabulary);

}  // namespace weft
