// Operand: a tiled matrix that matrix products read, in the precision of the step.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/arena.h"
#include "base/bfloat16.h"
#include "model/precision.h"
#include "program/tiled.h"

namespace weft {

// Tiles are the same in both precisions; an op reaches the elements by visit().
class Operand {
 public:
  Operand() = default;
  // In an fp32 step, or where a matrix is fp32 in every step.
  Operand(Tiled<float> tiled) : tiled_(tiled) {}
  Operand(Tiled<BFloat16> tiled) : tiled_(tiled) {}

  // Calls f with the Tiled<float> or the Tiled<BFloat16>.
  template <typename F>
  decltype(auto) visit(F&& f) const {
    return std::visit(std::forward<F>(f), tiled_);
  }

  // REQUIRES: T is its element type.
  template <typename T>
  const Tiled<T>& as() const {
    return std::get<Tiled<T>>(tiled_);
  }

  int64_t rows() const {
    return visit([](const auto& t) { return t.rows(); });
  }
  int64_t cols() const {
    return visit([](const auto& t) { return t.cols(); });
  }
  std::vector<Range> row_ranges() const {
    return visit([](const auto& t) { return t.row_ranges(); });
  }
  std::vector<Range> col_ranges() const {
    return visit([](const auto& t) { return t.col_ranges(); });
  }

  std::vector<TileId> over(Range rows, Range cols) const {
    return visit([&](const auto& t) { return t.over(rows, cols); });
  }
  std::vector<TileId> over(Range rows) const {
    return visit([&](const auto& t) { return t.over(rows); });
  }
  std::vector<TileId> over_cols(Range cols) const {
    return visit([&](const auto& t) { return t.over_cols(cols); });
  }
  std::vector<TileId> all() const {
    return visit([](const auto& t) { return t.all(); });
  }

 private:
  std::variant<Tiled<float>, Tiled<BFloat16>> tiled_;
};

// The element type of a Tiled.
template <typename T>
T element_of(const Tiled<T>&);
template <typename Tiled>
using ElementOf = decltype(element_of(std::declval<Tiled>()));

// Calls f with both tiled matrices. REQUIRES: they are of one precision.
template <typename F>
auto visit_alike(const Operand& a, const Operand& b, const F& f) {
  return a.visit([&](const auto& a) { return f(a, b.as<ElementOf<decltype(a)>>()); });
}

inline Operand allocate_operand(Precision precision, Arena& arena, TileTable& tiles,
                                const std::string& name, int64_t rows, int64_t cols,
                                int64_t row_tile, int64_t col_tile) {
  if (precision == Precision::kBf16) {
    return allocate_tiled<BFloat16>(arena, tiles, name, rows, cols, row_tile, col_tile);
  }
  return allocate_tiled<float>(arena, tiles, name, rows, cols, row_tile, col_tile);
}

}  // namespace weft
