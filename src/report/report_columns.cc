#include "report/report_columns.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>

namespace weft {
namespace {

using nlohmann::ordered_json;

void append_item(std::string& list, int64_t number) {
  fmt::format_to(std::back_inserter(list), "{}{}", list.empty() ? "" : ",", number);
}

}  // namespace

std::string compact(double x) { return std::isfinite(x) ? fmt::format("{:.6g}", x) : "null"; }

std::string dumped(const ordered_json& json) {
  return json.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
}

std::string quoted_json(const std::string& text) { return dumped(text); }

std::string without_less_than(std::string_view json) {
  std::string text;
  text.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

void JsonObject::add(std::string_view name, std::string_view value) {
  fmt::format_to(std::back_inserter(text_), "{}\"{}\":{}", text_.empty() ? "" : ",", name, value);
}

std::string column_json(const std::vector<double>& column, const std::vector<size_t>& rows) {
  std::string list;
  for (const size_t row : rows) list += (list.empty() ? "" : ",") + compact(column[row]);
  return "[" + list + "]";
}

std::string differences_json(const std::vector<int64_t>& column, const std::vector<size_t>& rows) {
  std::string list;
  int64_t last = 0, difference = 0, times = 0;
  const auto end_run = [&] {
    if (times == 0) return;
    append_item(list, difference);
    append_item(list, times);
  };
  for (const size_t row : rows) {
    if (const int64_t here = column[row] - last; here != difference || times == 0) {
      end_run();
      difference = here;
      times = 0;
    }
    ++times;
    last = column[row];
  }
  end_run();
  return "[" + list + "]";
}

std::string differences_json(const std::vector<int64_t>& column) {
  std::vector<size_t> rows(column.size());
  std::iota(rows.begin(), rows.end(), size_t{0});
  return differences_json(column, rows);
}

// Names of ops that have no slice on the page are left out.
int64_t SliceColumns::place_of(uint32_t op) {
  int64_t& place = places_[op];
  if (place == kUnused) {
    place = std::ssize(used_names_);
    used_names_.push_back(file_.ops[op].text);
  }
  return place;
}

void SliceColumns::add(const TraceSlice& slice) {
  tracks_.push_back(slice.track);
  steps_.push_back(slice.step);
  categories_.push_back(slice.category);
  critical_.push_back(slice.critical ? 1 : 0);
  append_item(begins_, slice.begin_ns - last_begin_ns_);
  append_item(durations_, slice.duration_ns);
  append_item(names_, place_of(slice.op));
  last_begin_ns_ = slice.begin_ns;
}

std::string SliceColumns::json() const {
  ordered_json tracks = ordered_json::array();
  for (const TraceTrack& track : file_.tracks) {
    tracks.push_back({{"process", track.process},
                      {"thread", track.thread},
                      {"process_name", track.process_name},
                      {"name", track.name}});
  }
  JsonObject object;
  object.add("names", dumped(used_names_));
  object.add("categories", dumped(file_.categories));
  object.add("tracks", dumped(tracks));
  object.add("track", differences_json(tracks_));
  object.add("step", differences_json(steps_));
  object.add("category", differences_json(categories_));
  object.add("critical", differences_json(critical_));
  object.add("begin", "[" + begins_ + "]");
  object.add("duration", "[" + durations_ + "]");
  object.add("name", "[" + names_ + "]");
  return object.text();
}

}  // namespace weft
