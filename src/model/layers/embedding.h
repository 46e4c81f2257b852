// Embedding: encoded = wte[token] + wpe[position].
#pragma once

#include "model/layers/layer.h"
#include "model/layers/step_matrices.h"

namespace weft {

struct EmbeddingActivations {
  Tiled<int32_t> inputs;     // (n, 1) token ids, written before a program runs
  Tiled<int32_t> positions;  // (n, 1) row mod T
  Tiled<float> encoded;      // (n, C)
};

EmbeddingActivations allocate_embedding(const StepMatrices& matrices, int64_t C);

// embedding/forward, one op per row tile.
void append_embedding_forward(const LayerOps& ops, const LayerParts& parts,
                              const EmbeddingActivations& a);

// From dencoded (n, C): embedding/dwte, which adds to what the classifier left there, and
// embedding/dwpe. Unless the sink takes the token rows itself: then dwte is left alone.
void append_embedding_backward(const LayerOps& ops, const BackwardParts& parts,
                               const EmbeddingActivations& a, const Tiled<float>& dencoded);

}  // namespace weft
