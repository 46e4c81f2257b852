// Buckets: the parameters divided for communication, into units that a rank can own and buckets of
// neighbouring units that are sent at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/parameters.h"
#include "model/tiled_parameters.h"
#include "optim/optimizer.h"
#include "program/program.h"
#include "program/tiled.h"

namespace weft {

// A run of elements of one parameter. A rank owns whole units, and the gradient norm has one
// partial sum for each. Units depend on the model alone, never on the number of ranks.
struct Unit {
  size_t parameter;
  Range rows;      // the row of the parameter's tiles that the unit lies in
  Range elements;  // in a buffer of the parameter table, with the alignment gap up to the next unit
};

// Neighbouring units in memory that are sent at once: whole rows of tiles.
struct Bucket {
  Range units;
  Range elements;
};

// Buckets are in the order in which their gradients are complete. Backward completes gradients from
// the end of the buffer to its beginning, with two exceptions: the last layernorm, and wte, which
// lies first. wte comes last if the lookup's part of its gradient is included, and first if not.
class Buckets {
 public:
  enum class Wte { kFirst, kLast };

  // A bucket is closed as soon as it holds `bucket_bytes`. With UpdateGranularity::kMatrix, a unit
  // is a whole parameter.
  Buckets(const TiledParameters& parameters, int64_t bucket_bytes, Wte wte = Wte::kLast,
          UpdateGranularity granularity = UpdateGranularity::kElement);

  const std::vector<Unit>& units() const { return units_; }
  const std::vector<Bucket>& all() const { return buckets_; }

  // Elements of each rank, side by side: as even as whole units allow.
  std::vector<int64_t> shares(const Bucket& bucket, int ranks) const;

  // The units that lie in the range. REQUIRES: it begins and ends between units.
  Range units_in(Range elements) const;
  // The elements of consecutive units. REQUIRES: there is one at least.
  Range elements_of(Range units) const;

  // The given units in groups of one parameter and one row of tiles each, first to last. Ops on
  // different groups do not conflict.
  std::vector<Range> groups(Range units) const;

  // The tiles of `parameters` that hold these units.
  std::vector<TileId> tiles(const TiledParameters& parameters, Range units) const;
  std::vector<TileId> tiles(const std::vector<TiledParameters>& parameters, Range units) const;

 private:
  std::vector<Unit> units_;  // in order of memory
  std::vector<Bucket> buckets_;
};

// The name of an op on a bucket: "exchange3/sum"; on a group of its units: "exchange3/add[17]".
OpName bucket_op_name(size_t bucket, const char* kind, int64_t group = OpName::kNone);

// The elements of a range of the buffer.
inline Vector<float> elements(const TiledParameters& of, Range range) {
  return of.values().data.subspan(size_t(range.begin), size_t(range.size()));
}

// Op::moved_bytes of an op that reads and writes the range in so many arrays.
size_t bytes_moved(Range elements, size_t arrays_read, size_t arrays_written);

}  // namespace weft
