// Text to ids as GPT-2 does: pieces from pretokenizer.h, merged by bpe.h. Makes a tokenizer that
// encodes and decodes, and one that only decodes.
#pragma once

#include <memory>
#include <string>

#include "data/bpe.h"
#include "data/llmc_tokenizer.h"
#include "data/tokenizer.h"

namespace weft {

std::unique_ptr<Tokenizer> make_bpe_tokenizer(BpeVocabulary vocabulary);

// Throws Error (kInput) when it is to encode; `path` names its file there.
std::unique_ptr<Tokenizer> make_decoder(LlmcTokenizer tokenizer, std::string path);

}  // namespace weft
