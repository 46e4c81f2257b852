// TokenRows: the lookup's part of wte's gradient, which ranks send apart from the rest of it.
//
// wte is used twice, so its gradient is a sum of two parts. The classifier's part has a row for
// each id of the vocabulary and is complete before backward. The lookup's part has a row for each
// token of the batch and is complete last. Where a step has fewer tokens than wte has rows, the
// first part is summed early, behind backward, and only the rows of the tokens are left to be sent
// at the end. docs/model.md#the-shared-embedding
#pragma once

#include <cstdint>
#include <vector>

#include "base/arena.h"
#include "comm/communicator.h"
#include "parallel/transfer_ops.h"
#include "parallel/workers.h"
#include "program/program.h"
#include "program/tiled.h"

namespace weft {

class TokenRows {
 public:
  // `tokens` (n, 1) and `rows` (n, C) are those of a micro-batch after its backward pass: row i is
  // to be added to row tokens[i] of dwte. There is a slot for each micro-batch of `terms`.
  TokenRows(Arena& arena, TileTable& tiles, const Workers& terms, const Tiled<int32_t>& tokens,
            const Tiled<float>& rows);

  // Appends an op that copies tokens and rows to the slot of a micro-batch, which is numbered
  // across all ranks.
  void append_pack(Program& program, int64_t micro_batch) const;

  // Append the ops that fill the slots of all ranks' micro-batches on every rank.
  void append_exchange_start(Program& program, Communicator& communicator, TransferOps& transfers);
  void append_exchange_finish(Program& program, TransferOps& transfers);

  const Tiled<float>& slots() const { return slots_; }  // (micro-batches, n (C + 1))
  // The elements of the slots that each rank fills, in the order of ranks.
  std::vector<int64_t> counts() const;

  // dwte's elements [range) += the rows of all micro-batches there, micro-batch by micro-batch and
  // token by token: the bits do not depend on the number of ranks.
  void add_to(Range elements, Vector<float> sum) const;

 private:
  // A slot holds n rows of C floats, and then their tokens as the bits of floats.
  Matrix<float> rows_of(int64_t micro_batch) const;
  Vector<float> tokens_of(int64_t micro_batch) const;

  Workers terms_;
  Tiled<int32_t> tokens_;
  Tiled<float> rows_;
  Tiled<float> slots_;
  PendingTransfers pending_;
};

}  // namespace weft
