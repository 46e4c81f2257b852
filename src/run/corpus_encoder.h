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

// Where a document gets its end-of-text token: before it in llm.c's corpora, after it in nanoGPT's.
enum class EndOfText { kBefore, kAfter, kNone };

struct EncodeSettings {
  EndOfText end_of_text = EndOfText::kBefore;
  SpecialTokens special = SpecialTokens::kOrdinary;
};

struct EncodeProgress {
  int64_t documents = 0;
  uintmax_t bytes = 0;  // of text, without the separators of documents
};

struct EncodeCallbacks {
  std::function<void(Vector<const Token>)> write = nullptr;         // gets the ids, in order
  std::function<void(const EncodeProgress&)> progressed = nullptr;  // after every batch of blocks
};

// Reads the files in batches of blocks, encodes the blocks of a batch with the executor and writes
// them in order: the ids do not depend on the executor, its threads or the size of a block. Takes
// the memory of a batch: some blocks per thread. Returns the progress at the end. An exception of a
// callback passes through. Throws Error (kInput) for files that cannot be read or are malformed.
EncodeProgress encode_corpus(const std::vector<CorpusFile>& files, const CorpusFormat& format,
                             const Tokenizer& tokenizer, EncodeSettings settings,
                             const Executor& executor, const EncodeCallbacks& callbacks);

}  // namespace weft
