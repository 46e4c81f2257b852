// Embedding: a token's vector plus its position's vector.
#pragma once

#include "base/view.h"

namespace weft {

// out[i] = wte[tokens[i]] + wpe[positions[i]].
//   tokens, positions (n); wte (Vp, C); wpe (maxT, C); out (n, C).
// REQUIRES: 0 <= tokens[i] < Vp, 0 <= positions[i] < maxT. Source: GPT-2, "input representation".
// docs/model.md#embedding
void embedding_forward(Vector<const int32_t> tokens, Vector<const int32_t> positions,
                       Matrix<const float> wte, Matrix<const float> wpe,
                       Matrix<float> out) noexcept;

// table[indices[i]] += dout[i] for i in order: the gradient of a lookup. A row that is looked up
// twice sums in the order of i, so the bits do not depend on the thread that runs this.
//   indices (n); dout (n, C); dtable (rows, C).
// docs/model.md#embedding
void embedding_backward(Vector<const int32_t> indices, Matrix<const float> dout,
                        Matrix<float> dtable) noexcept;

}  // namespace weft
