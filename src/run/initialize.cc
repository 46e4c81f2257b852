#include "run/initialize.h"

#include <fmt/format.h>

#include "program/tiled.h"

namespace weft {
namespace {

constexpr int64_t kRowsPerOp = 256;

}  // namespace

void initialize(const ParameterView& weights, uint64_t seed, const Executor& executor) {
  TileTable tiles;
  Program program("initialize", tiles);
  const std::vector<Parameter>& parameters = weights.table->all();
  for (const Parameter& p : parameters) {
    const Tiled<float> values(tiles, p.name, weights.matrix(p), kRowsPerOp, p.cols);
    for (const Range& rows : values.row_ranges()) {
      program.add({.name = p.op_name("initialize", rows.begin),
                   .phase = Phase::kData,
                   .reads = {},
                   .writes = values.over(rows),
                   .run = [weights, &p, rows, seed](std::byte*) {
                     initialize_rows(weights, p, rows.begin, rows.end, seed);
                   }});
    }
  }
  executor.prepare(program)->run();
}

}  // namespace weft
