// Config: the five numbers that define a GPT-2, and the names people know them by.
#pragma once

#include <cstdint>
#include <string>

namespace weft {

// The vocabulary is padded to a multiple of this, as llm.c does; padded rows of wte stay zero.
inline constexpr int64_t kVocabularyPadding = 128;

struct Config {
  int64_t L = 12;     // layers
  int64_t NH = 12;    // attention heads
  int64_t C = 768;    // channels
  int64_t T = 1024;   // the longest sequence (maxT)
  int64_t V = 50257;  // vocabulary

  int64_t HS() const { return C / NH; }
  int64_t Vp() const;  // padded vocabulary

  bool operator==(const Config&) const = default;
};

// Throws Error (kInput) unless every number is positive, within sane limits (so that sizes cannot
// overflow 64 bits), and C is divisible by NH.
void validate(const Config& config);

// Reads the forms of `--model`: `dN` (llm.c's depth table: 6, 12, 24, 36, 48, 60, 72, 84), `gpt2`,
// `gpt2-medium`, `gpt2-large`, `gpt2-xl`, or `L=4,NH=4,C=128,T=128[,V=...]`.
// V is default_V unless the text names it. Throws Error (kInput) with the accepted forms.
Config parse_model(const std::string& text, int64_t default_V);

// `L=12,NH=12,C=768,T=1024,V=50257`: parse_model reads it back.
std::string to_string(const Config& config);

}  // namespace weft
