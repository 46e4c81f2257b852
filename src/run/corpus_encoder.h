// encode_corpus: text to token ids on all CPUs, in constant memory.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/view.h"
#include "data/corpus.h"
#include "data/tokenizer.h"
#include "exec/executor.h"

namespace weft {

// Where documents get an end-of-text token: llm.c's corpora have it before, nanoGPT's after.
enum class EndOfText { kBefore, kAfter, kNone };

struct EncodeSettings {
  EndOfText end_of_text = EndOfText::kBefore;
  SpecialTokens special = SpecialTokens::kOrdinary;
};

struct EncodeProgress {
  int64_t documents = 0;
  uintmax_t bytes = 0;  // of text, the separators of documents not counted
};

struct EncodeCallbacks {
  std::function<void(Vector<const Token>)> write = nullptr;         // gets the ids, in order
  std::function<void(const EncodeProgress&)> progressed = nullptr;  // after every batch of blocks
};

// Reads the files in batches of blocks, encodes the blocks of a batch with the executor and writes
// them in order: the ids do not depend on the executor, its threads or the size of a block. Memory
// is that of a batch: some blocks per thread. Returns what was done. What a callback throws ends
// it. Throws Error (kInput) for files that cannot be read or are malformed.
EncodeProgress encode_corpus(const std::vector<CorpusFile>& files, const CorpusFormat& format,
                             const Tokenizer& tokenizer, EncodeSettings settings,
                             const Executor& executor, const EncodeCallbacks& callbacks);

}  // namespace weft
