#include "timeline/trace_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <istream>
#include <map>
#include <optional>
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
constexpr double kLargestId = 4294967295.;  // of processes, threads, steps and layers

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

// The number as a count; kNone if there is none or it is out of range.
int64_t count_or_none(const std::optional<double>& number) {
  const bool fits = number && *number >= 0. && *number <= kLargestId;
  return fits ? static_cast<int64_t>(*number) : OpName::kNone;
}

TraceOp op_of(const TraceEvent& event) {
  TraceOp op{.text = event.name, .name = {}, .flops = std::max(event.flops, 0.)};
  op.name.layer = count_or_none(event.layer);
  op.name.kind = event.kind;
  if (event.kind.empty()) {
    op.name.kind = event.name;
    return op;
  }
  op.name.parameter = event.parameter;
  op.name.index = count_or_none(event.index);
  op.name.tile = event.tiles;
  return op;
}

// Slices whose events agree in all facts of an op share one.
class UniqueOps {
 public:
  uint32_t index_of(const TraceEvent& event) {
    const TraceOp op = op_of(event);
    const OpName& name = op.name;
    std::string facts = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", op.text, name.kind, name.layer,
                                    name.parameter, name.index, name.tile, op.flops);
    const auto [place, is_new] =
        indices_.emplace(std::move(facts), static_cast<uint32_t>(ops_.size()));
    if (is_new) ops_.push_back(op);
    return place->second;
  }
  std::vector<TraceOp> take() { return std::move(ops_); }

 private:
  std::unordered_map<std::string, uint32_t> indices_;
  std::vector<TraceOp> ops_;
};

// Sorts the events of a file into a TraceFile.
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
    trace.ops = ops_.take();
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
    slice.op = ops_.index_of(event);
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
  UniqueOps ops_;
  Interned categories_;
  std::map<int64_t, std::string> process_names_;
  std::map<TrackKey, std::string> thread_names_;
  std::map<TrackKey, size_t> tracks_;  // numbered in the order in which they appear
  std::vector<TraceSlice> slices_;     // `track` is that number until take() sorts the tracks
};

// Text: a type that for_each_trace_event reads.
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

bool TraceFile::is_run(const TraceSlice& slice) const { return category_of(slice) == "program"; }

bool TraceFile::waits(const TraceSlice& slice) const {
  return !is_run(slice) && tracks[slice.track].name == "under way";
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
