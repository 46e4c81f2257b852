// Learning a byte pair encoding from the words of a text.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "data/bpe.h"
#include "data/word_counts.h"

namespace weft {

struct BpeTraining {
  int64_t vocabulary_size = 0;  // 257 to 65,536: single bytes, merged tokens, end of text
  int64_t min_frequency = 2;    // of neighbours that are worth a merge
};

// Sennrich et al. 2016, algorithm 1, on bytes: begin with the 256 single bytes, in the order of
// GPT-2's ids; merge the neighbours that are the most frequent in all words, of equally frequent
// ones those with the lowest left id and then the lowest right id; go on until the vocabulary is
// full or no neighbours are frequent enough. The end-of-text token takes the id after the last.
// Neighbours that make a token that is there already get a merge without a new token. Hugging
// Face's BpeTrainer has the same rules and gives the same merges.
//
// The vocabulary is smaller than asked for if the words do not yield it. `progress` is told the
// number of tokens so far after every merge. Work: each merge visits the places where it applies,
// and each place has one symbol less after it, so all merges together visit a place for each byte
// of the words. REQUIRES: words are distinct and not empty; the sizes are in range.
// Throws Error (kInput) if the words have 4 GB or more.
BpeVocabulary train_bpe(const std::vector<WordCount>& words, const BpeTraining& training,
                        const std::function<void(int64_t)>& progress);

}  // namespace weft
