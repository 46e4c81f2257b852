// TokenRows: the lookup's part of wte's gradient, which ranks send apart from the rest of it.
//
// wte is used twice, so its gradient is a sum of two. The classifier's part has a row for every
// word and is complete before backward; the lookup's is a row for each token of the batch, and
// comes last. Where these rows are fewer than wte's, the first part is summed early, behind
// backward, and at the end the rows alone are left to be sent. docs/model.md#the-shared-embedding
#pragma once

#include <cstdint>
#include <vector>

#include "base/arena.h"
#include "parallel/workers.h"
#include "program/program.h"
#include "program/tiled.h"

namespace weft {

class TokenRows {
 public:
  // `tokens` (n, 1) and `rows` (n, C) are those of a micro-batch, when backward has ended: row i
  // is to be added to row tokens[i] of dwte. There is a place for each micro-batch of `terms`.
  TokenRows(Arena& arena, TileTable& tiles, const Workers& terms, const Tiled<int32_t>& tokens,
            const Tiled<float>& rows);

  // Copies them to the place of a micro-batch, of all ranks' in one numbering.
  void append_pack(Program& program, int64_t micro_batch) const;

  // The places, and the elements of them that each rank fills, side by side: what an all-gather
  // takes. Tokens travel as the bits of floats.
  const Tiled<float>& places() const { return places_; }
  std::vector<int64_t> counts() const;

  // dwte's elements [range) += what the rows of all micro-batches have there, micro-batch by
  // micro-batch and token by token: the bits do not depend on who sent what.
  void add_to(Range elements, Vector<float> sum) const;

 private:
  // One place: n rows of C, and then their tokens.
  Matrix<float> rows_of(int64_t micro_batch) const;
  Vector<float> tokens_of(int64_t micro_batch) const;

  Workers terms_;
  Tiled<int32_t> tokens_;
  Tiled<float> rows_;
  Tiled<float> places_;  // (micro-batches, n (C + 1))
};

}  // namespace weft
