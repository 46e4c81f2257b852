// TraceEvent: an event of a trace in Chrome's JSON, and a loop over all events of a file.
#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

// The members of an event that weft uses; empty or 0 if the event lacks them. Texts are cut after
// 500 bytes.
struct TraceEvent {
  std::string phase, name, category;  // "ph", "name", "cat"
  double ts = 0., dur = 0.;           // in microseconds
  double pid = 0., tid = 0.;
  std::string named;                   // "args.name"
  std::string kind, parameter, tiles;  // "args.kind" and so on, as OpName has them
  std::optional<double> layer, index;  // "args.layer", "args.index"
  double step = 0., flops = 0.;        // "args.step", "args.flops"
  bool critical = false;               // "args.critical"
};

// The result of parsing a trace.
struct TraceText {
  bool is_json = true;      // the whole text is
  size_t error_byte = 0;    // where it is not
  bool has_events = false;  // the text is { .., "traceEvents": [ .. ] }
};

// Calls event(e) for each event while the text is parsed, so that a text of any size needs little
// memory. Exceptions of `event` pass through.
using OnTraceEvent = std::function<void(const TraceEvent& event)>;
TraceText for_each_trace_event(std::string_view text, const OnTraceEvent& event);
TraceText for_each_trace_event(std::istream& text, const OnTraceEvent& event);

}  // namespace weft
