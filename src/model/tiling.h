// Tiling: how the work of a step is cut into ops, decided by shapes alone, never by the number of
// threads, so that the bits of a result belong to the configuration.
#pragma once

#include <cstdint>

#include "model/config.h"
#include "model/parameters.h"
#include "model/precision.h"

namespace weft {

struct Tiling {
  Precision precision = Precision::kFp32;
  int64_t B = 1, T = 1;            // sequences and tokens per sequence of one micro-batch
  int64_t rows = 1;                // token rows of a row tile of matrix products
  int64_t norm_rows = 1;           // token rows per op of layernorm and of softmax with loss
  int64_t classifier_rows = 1;     // token rows whose logits exist at a time
  int64_t vocabulary_columns = 1;  // of one block of logits; rows of one tile of wte
  int64_t classifier_columns = 1;  // channels per op of the classifier's input gradient
  int64_t heads = 1;               // attention heads per op; divides NH

  int64_t n() const { return B * T; }

  // Output channels of one op of y (n, N) = x (n, K) W^T, for one row tile.
  int64_t columns(int64_t N, int64_t K) const;

  // The tiles of a weight (N, K): one op of dW computes a tile, and one op of AdamW updates it.
  int64_t weight_rows(int64_t N, int64_t K) const;
  int64_t weight_columns(int64_t K) const;

  // The rows and columns of the tiles that a parameter is cut into.
  int64_t parameter_rows(const Parameter& p) const;
  int64_t parameter_columns(const Parameter& p) const;
};

Tiling choose_tiling(const Config& config, int64_t B, int64_t T,
                     Precision precision = Precision::kFp32);

}  // namespace weft
