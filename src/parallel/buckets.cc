#include "parallel/buckets.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/math.h"
#include "program/program.h"

namespace weft {
namespace {

// Small enough that ranks get even shares of a small model, large enough that the work of an op
// outweighs its overhead.
constexpr int64_t kUnitsPerModel = 256;
constexpr int64_t kLargestUnit = int64_t{1} << 16;
constexpr int64_t kCacheLine = 16;  // floats

int64_t unit_size(int64_t buffer_size) {
  return std::clamp(round_up(ceil_div(buffer_size, kUnitsPerModel), kCacheLine), kCacheLine,
                    kLargestUnit);
}

// Appends the units of a row of tiles, which is `elements` of the buffer.
void append_units(std::vector<Unit>& units, size_t parameter, Range rows, Range elements,
                  int64_t size) {
  for (const Range& part : split(elements.size(), size)) {
    units.push_back({parameter, rows, {elements.begin + part.begin, elements.begin + part.end}});
  }
}

bool share_rows(const Unit& a, const Unit& b) {
  return a.parameter == b.parameter && a.rows.begin == b.rows.begin;
}

}  // namespace

Buckets::Buckets(const TiledParameters& parameters, int64_t bucket_bytes, Wte wte,
                 UpdateGranularity granularity) {
  const ParameterTable& table = *parameters.values().table;
  const bool whole = granularity == UpdateGranularity::kMatrix;
  const int64_t size = whole ? table.buffer_size() : unit_size(table.buffer_size());
  for (size_t p = 0; p < table.all().size(); ++p) {
    const Parameter& parameter = table.all()[p];
    const int64_t next =
        p + 1 < table.all().size() ? table.all()[p + 1].offset : table.buffer_size();
    const std::vector<Range> all_rows =
        whole ? std::vector<Range>{{0, parameter.rows}} : parameters.at(p).row_ranges();
    for (const Range& rows : all_rows) {
      const int64_t end = parameter.offset + rows.end * parameter.cols;
      append_units(
          units_, p, rows,
          {parameter.offset + rows.begin * parameter.cols, rows.end == parameter.rows ? next : end},
          size);
    }
  }
  const auto is_apart = [&](int64_t unit) {
    return wte == Wte::kFirst && table.all()[units_[size_t(unit)].parameter].tensor == Tensor::wte;
  };
  const std::vector<Range> rows_of_tiles = groups({0, int64_t(units_.size())});
  int64_t end = int64_t(units_.size());
  for (size_t i = rows_of_tiles.size(); i-- > 0;) {
    const int64_t begin = rows_of_tiles[i].begin;
    const Range elements{units_[size_t(begin)].elements.begin,
                         units_[size_t(end - 1)].elements.end};
    const bool full = elements.size() * int64_t(sizeof(float)) >= bucket_bytes;
    const bool is_edge = i == 0 || is_apart(begin) != is_apart(begin - 1);
    if (full || is_edge) {
      buckets_.push_back({{begin, end}, elements});
      end = begin;
    }
  }
  std::stable_partition(buckets_.begin(), buckets_.end(),
                        [&](const Bucket& bucket) { return is_apart(bucket.units.begin); });
}

std::vector<int64_t> Buckets::shares(const Bucket& bucket, int ranks) const {
  std::vector<int64_t> counts;
  int64_t unit = bucket.units.begin, begin = bucket.elements.begin;
  for (int64_t r = 1; r <= ranks; ++r) {
    const int64_t goal = bucket.elements.begin + bucket.elements.size() * r / ranks;
    int64_t end = begin;
    // A unit belongs to the rank in whose even share its middle lies.
    for (; unit < bucket.units.end; ++unit) {
      const Range& elements = units_[size_t(unit)].elements;
      if (r < ranks && elements.begin + elements.size() / 2 >= goal) break;
      end = elements.end;
    }
    counts.push_back(end - begin);
    begin = end;
  }
  return counts;
}

Range Buckets::units_in(Range elements) const {
  const auto first_at = [&](int64_t element) {
    return std::partition_point(units_.begin(), units_.end(),
                                [&](const Unit& u) { return u.elements.begin < element; }) -
           units_.begin();
  };
  return {first_at(elements.begin), first_at(elements.end)};
}

Range Buckets::elements_of(Range units) const {
  return {units_[size_t(units.begin)].elements.begin, units_[size_t(units.end - 1)].elements.end};
}

std::vector<Range> Buckets::groups(Range units) const {
  std::vector<Range> groups;
  for (int64_t u = units.begin; u < units.end; ++u) {
    const bool continues = u > units.begin && share_rows(units_[size_t(u - 1)], units_[size_t(u)]);
    if (!continues) groups.push_back({u, u});
    groups.back().end = u + 1;
  }
  return groups;
}

std::vector<TileId> Buckets::tiles(const TiledParameters& parameters, Range units) const {
  std::vector<TileId> tiles;
  for (const Range& group : groups(units)) {
    const Unit& unit = units_[size_t(group.begin)];
    tiles = tiles_of({tiles, parameters.at(unit.parameter).over(unit.rows)});
  }
  return tiles;
}

std::vector<TileId> Buckets::tiles(const std::vector<TiledParameters>& parameters,
                                   Range units) const {
  std::vector<TileId> all;
  for (const TiledParameters& one : parameters) all = tiles_of({all, tiles(one, units)});
  return all;
}

OpName bucket_op_name(size_t bucket, const char* kind, int64_t group) {
  return {.kind = kind,
          .index = int64_t(bucket),
          .tile = group == OpName::kNone ? "" : fmt::format("{}", group)};
}

size_t bytes_moved(Range elements, size_t arrays_read, size_t arrays_written) {
  return size_t(elements.size()) * sizeof(float) * (arrays_read + 2 * arrays_written);
}

}  // namespace weft
