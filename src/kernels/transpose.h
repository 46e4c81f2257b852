// Transposition: packs an operand of a matrix product into the order that the product reads.
#pragma once

#include "base/view.h"

namespace weft {

// dst(c, r) = src(r, c). dst is (src.cols, src.rows). Moves 8 bytes per element; no FLOPs.
// docs/model.md#linear-layers
void transpose(Matrix<const float> src, Matrix<float> dst) noexcept;

// dst = src, row by row: gathers a strided block into contiguous memory.
void copy(Matrix<const float> src, Matrix<float> dst) noexcept;

}  // namespace weft
