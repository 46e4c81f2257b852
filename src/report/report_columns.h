// The long parts of a report's JSON, in few characters.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "timeline/trace_file.h"

namespace weft {

// Six digits, "null" if it is not finite.
std::string compact(double x);

std::string dumped(const nlohmann::ordered_json& json);
std::string quoted_json(const std::string& text);

// Every '<' of a JSON text stands in a string, where it can be written as an escape.
std::string without_less_than(std::string_view json);

// {"a":..,"b":..} from values that are JSON already.
class JsonObject {
 public:
  void add(std::string_view name, std::string_view value);
  std::string text() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

// [x,y,..] of these rows.
std::string column_json(const std::vector<double>& column, const std::vector<size_t>& rows);

// [d,n,d,n,..]: n numbers of which each is d more than the one before, the first more than 0. What
// rises evenly takes two numbers.
std::string differences_json(const std::vector<int64_t>& column, const std::vector<size_t>& rows);
std::string differences_json(const std::vector<int64_t>& column);

// The slices of a timeline as columns: by track, then begin. Begins are differences within all of
// them, in nanoseconds, as they are.
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
