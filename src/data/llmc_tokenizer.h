// llm.c's gpt2_tokenizer.bin: the bytes of every token, without the merges that encoding needs.
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

// True if the file begins with the magic number; false if it does not or cannot be read.
bool is_llmc_tokenizer(const std::filesystem::path& file);

// Throws Error (kInput) for another magic number or version, a truncated file, trailing bytes, or a
// count or end-of-text id out of range.
LlmcTokenizer read_llmc_tokenizer(const std::filesystem::path& file);

}  // namespace weft
