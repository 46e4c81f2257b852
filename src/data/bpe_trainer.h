// Trains a byte pair encoding on the words of a text.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "data/bpe.h"
#include "data/word_counts.h"

namespace weft {

struct BpeTraining {
  int64_t vocabulary_size = 0;  // 257 to 65,536: single bytes, merged tokens, end of text
  int64_t min_frequency = 2;    // a pair of neighbours must occur at least so often to be merged
};

// Sennrich et al. 2016, algorithm 1, on bytes: begin with the 256 single bytes, in the order of
// GPT-2's ids; repeatedly merge the most frequent pair of neighbours in all words (among equally
// frequent pairs, the one with the lowest left id and then the lowest right id) until the
// vocabulary is full or no pair is frequent enough. The end-of-text token gets the last id. A pair
// whose concatenation is already a token gets a merge without a new token. Hugging Face's
// BpeTrainer has the same rules and gives the same merges.
//
// The vocabulary is smaller than requested if the words have too few pairs. After every merge,
// `progress` receives the number of tokens so far. Work: each merge visits the places where it
// applies and removes a symbol at each, so all merges together visit at most one place per byte of
// the words. REQUIRES: words are distinct and not empty; the sizes are in range.
// Throws Error (kInput) if the words have 4 GB or more.
BpeVocabulary train_bpe(const std::vector<WordCount>& words, const BpeTraining& training,
                        const std::function<void(int64_t)>& progress);

}  // namespace weft
