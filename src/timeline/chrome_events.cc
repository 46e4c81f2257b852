#include "timeline/chrome_events.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace weft {
namespace {

constexpr const char* kArrowCategory = "critical path";

std::string microseconds(int64_t ns) { return fmt::format("{}.{:03}", ns / 1000, ns % 1000); }

}  // namespace

std::string json_quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

ChromeEvents::ChromeEvents(const std::function<void(std::string_view)>& append) : append_(append) {
  append_(R"({"displayTimeUnit":"ms","traceEvents":[)");
}

void ChromeEvents::append(const std::string& event) {
  append_(events_++ == 0 ? "\n" : ",\n");
  append_(event);
}

void ChromeEvents::name_process(int process, std::string_view name) {
  append(fmt::format(R"({{"ph":"M","name":"process_name","pid":{},"args":{{"name":{}}}}})", process,
                     json_quoted(name)));
  append(
      fmt::format(R"({{"ph":"M","name":"process_sort_index","pid":{},"args":{{"sort_index":{}}}}})",
                  process, process));
}

void ChromeEvents::name_track(ChromeTrack track, std::string_view name) {
  append(fmt::format(R"({{"ph":"M","name":"thread_name","pid":{},"tid":{},"args":{{"name":{}}}}})",
                     track.process, track.track, json_quoted(name)));
  append(fmt::format(
      R"({{"ph":"M","name":"thread_sort_index","pid":{},"tid":{},"args":{{"sort_index":{}}}}})",
      track.process, track.track, track.track));
}

void ChromeEvents::slice(ChromeTrack track, std::string_view name, std::string_view category,
                         int64_t begin_ns, int64_t end_ns, std::string_view args) {
  append(fmt::format(
      R"({{"ph":"X","name":{},"cat":{},"ts":{},"dur":{},"pid":{},"tid":{},"args":{{{}}}}})",
      json_quoted(name), json_quoted(category), microseconds(begin_ns),
      microseconds(end_ns - begin_ns), track.process, track.track, args));
}

// With "bp":"e", an arrow ends at the slice that encloses its end, not at the slice after it.
void ChromeEvents::arrow(std::string_view name, ChromeTrack from, int64_t from_ns, ChromeTrack to,
                         int64_t to_ns) {
  const int64_t id = ++arrows_;
  const auto end = [&](const char* kind, ChromeTrack track, int64_t at_ns) {
    append(fmt::format(R"({{"ph":{},"id":{},"cat":"{}","name":{},"ts":{},"pid":{},"tid":{}}})",
                       kind, id, kArrowCategory, json_quoted(name), microseconds(at_ns),
                       track.process, track.track));
  };
  end(R"("s")", from, from_ns);
  end(R"("f","bp":"e")", to, to_ns);
}

void ChromeEvents::counter(int process, std::string_view name, std::string_view unit, int64_t at_ns,
                           std::string_view value) {
  append(fmt::format(R"({{"ph":"C","name":{},"ts":{},"pid":{},"args":{{{}:{}}}}})",
                     json_quoted(name), microseconds(at_ns), process, json_quoted(unit), value));
}

void ChromeEvents::finish() { append_("\n]}\n"); }

}  // namespace weft
