// Buckets: the parameters as communication sees them, cut into units, and units put into buckets.
#pragma once

#include <cstdint>
#include <vector>

#include "model/parameters.h"
#include "model/tiled_parameters.h"
#include "optim/optimizer.h"
#include "program/tiled.h"

namespace weft {

// A run of elements of one parameter: the least that a rank can own, and what the norm has one
// partial sum for. Decided by the model alone, never by the number of ranks.
struct Unit {
  size_t parameter;
  Range rows;      // a row of its tiles, which the unit lies in
  Range elements;  // in a buffer of the parameter table; the gap up to the next unit included
};

// What is sent at once: neighbours in memory, whole rows of tiles.
struct Bucket {
  Range units;
  Range elements;
};

// In the order in which they are ready. Backward completes gradients from the end of the buffer to
// its beginning, but for the last layernorm's and the embeddings' exactly so. wte, which lies at
// the beginning, is last with what the lookup adds to it, and first without.
class Buckets {
 public:
  enum class Wte { kFirst, kLast };

  // A bucket is closed once it holds `bucket_bytes`, or a row of tiles.
  Buckets(const TiledParameters& parameters, int64_t bucket_bytes, Wte wte = Wte::kLast,
          UpdateGranularity granularity = UpdateGranularity::kElement);

  const std::vector<Unit>& units() const { return units_; }
  const std::vector<Bucket>& all() const { return buckets_; }

  // Elements of each rank, side by side: as even as whole units allow.
  std::vector<int64_t> shares(const Bucket& bucket, int ranks) const;

  // The units that lie in the range. REQUIRES: it begins and ends between units.
  Range units_in(Range elements) const;

  // The units that share parameter and rows, first to last, among the given ones: what one op
  // can update without meeting another in a tile.
  std::vector<Range> groups(Range units) const;

  // The tiles of `parameters` that hold these units.
  std::vector<TileId> tiles(const TiledParameters& parameters, Range units) const;

 private:
  std::vector<Unit> units_;  // in order of memory
  std::vector<Bucket> buckets_;
};

}  // namespace weft
