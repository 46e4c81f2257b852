// Compact JSON for the long parts of a report.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "timeline/trace_file.h"

namespace weft {

// The number with six digits; "null" if it is not finite.
std::string compact(double x);

std::string dumped(const nlohmann::ordered_json& json);
std::string quoted_json(const std::string& text);

// Writes each '<' as an escape. In JSON it can stand in strings only, so the value is the same.
std::string without_less_than(std::string_view json);

// Builds {"a":..,"b":..}.
class JsonObject {
 public:
  // value: JSON.
  void add(std::string_view name, std::string_view value);
  std::string text() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

// The column's values in these rows, as [x,y,..].
std::string column_json(const std::vector<double>& column, const std::vector<size_t>& rows);

// The column's values as [d,n,d,n,..]: each d,n stands for n values, each larger by d than the one
// before, and the first is compared with 0. An evenly rising column takes two numbers.
std::string differences_json(const std::vector<int64_t>& column, const std::vector<size_t>& rows);
std::string differences_json(const std::vector<int64_t>& column);

// The slices of a timeline as columns, in the order in which they are added. Begins are written as
// differences to the slice before, in nanoseconds.
class SliceColumns {
 public:
  explicit SliceColumns(const TraceFile& file) : file_(file), places_(file.ops.size(), kUnused) {}

  void add(const TraceSlice& slice);
  std::string json() const;

 private:
  static constexpr int64_t kUnused = -1;

  int64_t place_of(uint32_t op);

  const TraceFile& file_;
  std::vector<int64_t> places_;  // by op: the index of its name in used_names_
  std::vector<std::string> used_names_;
  std::vector<int64_t> tracks_, steps_, categories_, critical_;
  int64_t last_begin_ns_ = 0;
  std::string begins_, durations_, names_;
};

}  // namespace weft
