#include "program/tiled.h"

namespace weft {

std::string tile_name(const std::string& name, int64_t i, int64_t row_tiles, int64_t j,
                      int64_t col_tiles) {
  const bool many_rows = row_tiles > 1, many_cols = col_tiles > 1;
  const std::string row = std::to_string(i), col = std::to_string(j);
  if (many_rows && many_cols) return name + '[' + row + ',' + col + ']';
  if (many_rows) return name + '[' + row + ']';
  if (many_cols) return name + "[:," + col + ']';
  return name;
}

}  // namespace weft
