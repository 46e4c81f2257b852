#include "run/corpus_encoder.h"

#include <fmt/format.h>

#include <cstddef>
#include <memory>
#include <utility>

#include "program/program.h"

namespace weft {
namespace {

// Blocks differ in cost: with several per thread, no thread idles for long at the end of a batch.
constexpr size_t kBlocksPerThread = 8;

size_t bytes_of(const CorpusBlock& block) {
  return std::visit([](const auto& content) { return content.bytes(); }, block);
}

class CorpusEncoder {
 public:
  CorpusEncoder(const CorpusFormat& format, const Tokenizer& tokenizer, EncodeSettings settings,
                const Executor& executor, const EncodeCallbacks& callbacks)
      : format_(format),
        tokenizer_(tokenizer),
        settings_(settings),
        callbacks_(callbacks),
        slots_(static_cast<size_t>(executor.threads()) * kBlocksPerThread),
        program_("encode", tiles_) {
    for (Slot& slot : slots_) add_op(slot);
    batch_ = executor.prepare(program_);
  }

  void add(CorpusBlock block) {
    slots_[used_++].block = std::move(block);
    if (used_ == slots_.size()) run_batch();
  }

  EncodeProgress finish() {
    run_batch();
    if (settings_.end_of_text == EndOfText::kAfter && done_.documents > 0) {
      const Token last = tokenizer_.end_of_text();
      callbacks_.write({&last, 1});
    }
    return done_;
  }

 private:
  struct Slot {
    CorpusBlock block;
    EncodedBlock encoded;
  };

  void add_op(Slot& slot) {
    OpName name = {.kind = "encode", .tile = fmt::format("{}", program_.ops().size())};
    const TileId tile = tiles_.add({.name = name.text(),
                                    .data = reinterpret_cast<std::byte*>(&slot),
                                    .row_bytes = sizeof slot});
    program_.add({.name = std::move(name),
                  .phase = Phase::kData,
                  .reads = {},
                  .writes = {tile},
                  .run = [this, &slot](std::byte*) { encode(slot); }});
  }

  // Slots after the last block of the corpus are empty and yield no tokens.
  void encode(Slot& slot) const {
    const bool end_of_text = settings_.end_of_text != EndOfText::kNone;
    slot.encoded = encode_block(slot.block, format_, tokenizer_, {end_of_text, settings_.special});
  }

  void run_batch() {
    if (used_ == 0) return;
    batch_->run();
    for (Slot& slot : slots_) {
      write(slot.encoded);
      done_.bytes += bytes_of(slot.block);
      slot = {};
    }
    used_ = 0;
    if (callbacks_.progressed) callbacks_.progressed(done_);
  }

  // A token after every document is a token before every document but the first, and one at the
  // end.
  void write(const EncodedBlock& encoded) {
    Vector<const Token> tokens = encoded.tokens;
    const bool begins_corpus = done_.documents == 0 && encoded.documents > 0;
    if (settings_.end_of_text == EndOfText::kAfter && begins_corpus) tokens = tokens.subspan(1);
    done_.documents += encoded.documents;
    if (!tokens.empty()) callbacks_.write(tokens);
  }

  const CorpusFormat& format_;
  const Tokenizer& tokenizer_;
  EncodeSettings settings_;
  const EncodeCallbacks& callbacks_;
  std::vector<Slot> slots_;
  size_t used_ = 0;  // slots that hold blocks of the next batch
  EncodeProgress done_;
  TileTable tiles_;
  Program program_;
  std::unique_ptr<PreparedProgram> batch_;
};

}  // namespace

EncodeProgress encode_corpus(const std::vector<CorpusFile>& files, const CorpusFormat& format,
                             const Tokenizer& tokenizer, EncodeSettings settings,
                             const Executor& executor, const EncodeCallbacks& callbacks) {
  CorpusEncoder encoder(format, tokenizer, settings, executor, callbacks);
  read_corpus(files, format, [&](CorpusBlock block) { encoder.add(std::move(block)); });
  return encoder.finish();
}

}  // namespace weft
