// llm.c's gpt2_tokenizer.bin: the bytes of every token, and nothing to encode text with.
//
//   256 int32, little-endian: magic 20240328, version 1 or 2, number of tokens n, and in version 2
//   the id of end-of-text (version 1 means GPT-2's: 50256), zeros
//   n times: uint8 length (1 to 255), the token's bytes
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/tokenizer.h"

namespace weft {

struct LlmcTokenizer {
  std::vector<std::string> tokens;  // bytes, by id
  Token end_of_text = 0;
};

// True if the file begins as one does; false for anything else, and for what cannot be read.
bool is_llmc_tokenizer(const std::filesystem::path& file);

// Throws Error (kInput): another magic number or version, a truncated file, trailing bytes, a count
// or an end-of-text out of range.
LlmcTokenizer read_llmc_tokenizer(const std::filesystem::path& file);

}  // namespace weft
