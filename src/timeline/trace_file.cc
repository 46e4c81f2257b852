#include "timeline/trace_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <istream>
#include <map>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "base/files.h"
#include "base/gzip.h"
#include "timeline/trace_events.h"

namespace weft {
namespace {

constexpr const char* kWhere = "report";
constexpr double kLongestUs = 1e13;         // 116 days
constexpr double kLargestId = 4294967295.;  // of processes, threads and steps

// Equal strings become one index.
class Interned {
 public:
  uint32_t index_of(const std::string& text) {
    const auto [place, is_new] = indices_.emplace(text, static_cast<uint32_t>(texts_.size()));
    if (is_new) texts_.push_back(text);
    return place->second;
  }
  std::vector<std::string> take() { return std::move(texts_); }

 private:
  std::unordered_map<std::string, uint32_t> indices_;
  std::vector<std::string> texts_;
};

// Puts the events in order, and says which one is wrong.
class TraceBuilder {
 public:
  explicit TraceBuilder(std::string source) : source_(std::move(source)) {}

  void add(const TraceEvent& event) {
    ++events_;
    if (event.phase == "X") {
      add_slice(event);
    } else if (event.phase == "M" && event.name == "process_name") {
      process_names_[id(event.pid)] = event.named;
    } else if (event.phase == "M" && event.name == "thread_name") {
      thread_names_[{id(event.pid), id(event.tid)}] = event.named;
    }
  }

  TraceFile take() {
    TraceFile trace;
    trace.names = names_.take();
    trace.categories = categories_.take();
    // A worker that had nothing to do has a name and no slice.
    for (const auto& [key, name] : thread_names_) tracks_.emplace(key, tracks_.size());
    std::vector<uint32_t> place(tracks_.size());
    for (const auto& [key, index] : tracks_) {
      place[index] = static_cast<uint32_t>(trace.tracks.size());
      trace.tracks.push_back(
          {key.first, key.second, process_names_[key.first], thread_names_[key]});
    }
    for (TraceSlice& slice : slices_) slice.track = place[slice.track];
    std::ranges::stable_sort(slices_, {}, [](const TraceSlice& slice) {
      return std::pair(slice.track, slice.begin_ns);
    });
    trace.slices = std::move(slices_);
    return trace;
  }

 private:
  using TrackKey = std::pair<int64_t, int64_t>;  // pid and tid

  void add_slice(const TraceEvent& event) {
    if (!(event.ts >= 0. && event.dur >= 0. && event.ts + event.dur <= kLongestUs)) {
      throw wrong("has times that no trace has");
    }
    const TrackKey key{id(event.pid), id(event.tid)};
    TraceSlice& slice = slices_.emplace_back();
    slice.track = static_cast<uint32_t>(tracks_.emplace(key, tracks_.size()).first->second);
    slice.begin_ns = std::llround(event.ts * 1e3);
    slice.duration_ns = std::llround(event.dur * 1e3);
    slice.step = id(event.step);
    slice.name = names_.index_of(event.name);
    slice.category = categories_.index_of(event.category);
    slice.critical = event.critical;
  }

  int64_t id(double number) const {
    if (!(number >= 0. && number <= kLargestId)) throw wrong("has a number that no trace has");
    return static_cast<int64_t>(number);
  }

  Error wrong(const char* what) const {
    return input_error(kWhere, fmt::format("{}: event {} {}", source_, events_, what));
  }

  std::string source_;
  int64_t events_ = 0;
  Interned names_, categories_;
  std::map<int64_t, std::string> process_names_;
  std::map<TrackKey, std::string> thread_names_;
  std::map<TrackKey, size_t> tracks_;  // in the order in which they appear
  std::vector<TraceSlice> slices_;     // their track is that number
};

// text: of a kind that for_each_trace_event takes.
template <typename Text>
TraceFile parse_trace(const std::string& source, Text&& text) {
  TraceBuilder builder(source);
  const TraceText found =
      for_each_trace_event(text, [&](const TraceEvent& event) { builder.add(event); });
  const char* hint = "weft train --trace FILE.json records one";
  if (!found.is_json) {
    throw input_error(kWhere,
                      fmt::format("{} is no trace, or one that breaks off: see byte {}", source,
                                  found.error_byte),
                      hint);
  }
  if (!found.has_events) throw input_error(kWhere, source + " has no traceEvents", hint);
  return builder.take();
}

}  // namespace

bool TraceFile::is_work(const TraceSlice& slice) const {
  return category_of(slice) != "program" && tracks[slice.track].name != "under way";
}

TraceFile read_trace_file(const std::filesystem::path& path) {
  const MappedFile file(path);
  const auto* text = reinterpret_cast<const char*>(file.bytes().data());
  const std::string_view bytes(text, file.bytes().size());
  if (!bytes.starts_with("\x1f\x8b")) return parse_trace(path.string(), bytes);
  GzipReader unpacked(path, kWhere);
  std::istream stream(&unpacked);
  return parse_trace(path.string(), stream);
}

}  // namespace weft
