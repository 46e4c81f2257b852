// ChromeEvents: the text of a Chrome trace, one event a line.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace weft {

// A process has tracks, on which slices lie. Numbers of both count from 1: Perfetto takes process 0
// for the idle process, and renumbers track 0.
struct ChromeTrack {
  int process = 1, track = 1;
};

// Hands on text as it comes. Times are nanoseconds, 0 or later; the file has microseconds with
// three digits, so none is lost.
class ChromeEvents {
 public:
  // REQUIRES: `append` outlives this.
  explicit ChromeEvents(const std::function<void(std::string_view)>& append);

  void name_process(int process, std::string_view name);
  void name_track(ChromeTrack track, std::string_view name);

  // args: members of a JSON object. REQUIRES: slices of a track do not overlap, or lie within
  // another.
  void slice(ChromeTrack track, std::string_view name, std::string_view category, int64_t begin_ns,
             int64_t end_ns, std::string_view args);

  // An arrow from a slice to another. REQUIRES: both have been written and took some time;
  // from_ns is within the first, and to_ns is when the second begins.
  void arrow(std::string_view name, ChromeTrack from, int64_t from_ns, ChromeTrack to,
             int64_t to_ns);

  // A value of a counter of the process, until the next one.
  void counter(int process, std::string_view name, std::string_view unit, int64_t at_ns,
               std::string_view value);

  // Nothing may follow.
  void finish();

 private:
  void append(const std::string& event);

  const std::function<void(std::string_view)>& append_;
  int64_t events_ = 0, arrows_ = 0;
};

// In double quotes, as JSON has it.
std::string json_quoted(std::string_view text);

}  // namespace weft
