// ChromeEvents: writes the text of a Chrome trace, one event a line.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace weft {

// A process has tracks, and a track has slices. Both are numbered from 1, because Perfetto takes
// process 0 for the idle process and renumbers track 0.
struct ChromeTrack {
  int process = 1, track = 1;
};

// Passes the text on event by event. Times are nanoseconds, 0 or later; the file has microseconds
// with three digits, so no precision is lost.
class ChromeEvents {
 public:
  // REQUIRES: `append` outlives this.
  explicit ChromeEvents(const std::function<void(std::string_view)>& append);

  void name_process(int process, std::string_view name);
  void name_track(ChromeTrack track, std::string_view name);

  // args: the members of a JSON object, without its braces. REQUIRES: slices of a track are
  // disjoint or nested.
  void slice(ChromeTrack track, std::string_view name, std::string_view category, int64_t begin_ns,
             int64_t end_ns, std::string_view args);

  // An arrow from one slice to another. REQUIRES: both have been written and are not empty; from_ns
  // is within the first, and to_ns is when the second begins.
  void arrow(std::string_view name, ChromeTrack from, int64_t from_ns, ChromeTrack to,
             int64_t to_ns);

  // The value of a counter of the process, from at_ns until its next value.
  void counter(int process, std::string_view name, std::string_view unit, int64_t at_ns,
               std::string_view value);

  // Ends the file. REQUIRES: nothing is written afterwards.
  void finish();

 private:
  void append(const std::string& event);

  const std::function<void(std::string_view)>& append_;
  int64_t events_ = 0, arrows_ = 0;
};

// The text as a JSON string, with its quotes.
std::string json_quoted(std::string_view text);

}  // namespace weft
