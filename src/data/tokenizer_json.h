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

// Reads and checks the file; nothing in it is trusted. Throws Error (kInput): it is malformed, or a
// setting of it gives other ids than GPT-2's tokenizer does with the same vocabulary.
BpeVocabulary read_tokenizer_json(const std::filesystem::path& file);

// The file's content, which reads back as the same vocabulary. Merges are written as strings, which
// every version of the library reads.
std::string write_tokenizer_json(const BpeVocabulary& vocabulary);

}  // namespace weft
