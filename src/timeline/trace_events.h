// TraceEvent: an event of a trace in Chrome's JSON, and how to go through all of them.
#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

namespace weft {

// What is used of an event; empty or 0 where it says nothing. Texts end after 500 bytes.
struct TraceEvent {
  std::string phase, name, category;  // "ph", "name", "cat"
  double ts = 0., dur = 0.;           // in microseconds
  double pid = 0., tid = 0.;
  std::string named;      // "args.name"
  double step = 0.;       // "args.step"
  bool critical = false;  // "args.critical"
};

// How a trace was found.
struct TraceText {
  bool is_json = true;      // from the first byte to the last
  size_t error_byte = 0;    // if it is not
  bool has_events = false;  // it is { .., "traceEvents": [ .. ] }
};

// Calls event(e) for each event while the text is parsed, so that one of any size needs little
// memory. What event throws goes through.
using OnTraceEvent = std::function<void(const TraceEvent& event)>;
TraceText for_each_trace_event(std::string_view text, const OnTraceEvent& event);
TraceText for_each_trace_event(std::istream& text, const OnTraceEvent& event);

}  // namespace weft
