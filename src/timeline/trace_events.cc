#include "timeline/trace_events.h"

#include <istream>
#include <nlohmann/json.hpp>

namespace weft {
namespace {

using nlohmann::json;

constexpr size_t kLongestText = 500;

// Receives { .., "traceEvents": [ {"ph": "X", .., "args": {"step": 1}}, .. ] } piece by piece from
// the parser, so that the text never becomes a tree in memory.
class TraceReader : public json::json_sax_t {
 public:
  explicit TraceReader(const OnTraceEvent& on_event) : on_event_(on_event) {}

  const TraceText& found() const { return found_; }

  bool start_object(size_t) override {
    if (++depth_ == kEvent && in_events_) event_ = {};
    if (depth_ == kArguments) in_arguments_ = key_ == "args";
    return true;
  }
  bool end_object() override {
    if (depth_-- == kEvent && in_events_) on_event_(event_);
    return true;
  }
  bool start_array(size_t) override {
    if (++depth_ == kEvents && key_ == "traceEvents") in_events_ = found_.has_events = true;
    if (depth_ == kArguments) in_arguments_ = false;
    return true;
  }
  bool end_array() override {
    if (depth_-- == kEvents) in_events_ = false;
    return true;
  }
  bool key(std::string& key) override {
    key_ = key;
    return true;
  }
  bool string(std::string& text) override {
    if (text.size() > kLongestText) text.resize(kLongestText);
    if (depth_ == kEvent && key_ == "ph") event_.phase = text;
    if (depth_ == kEvent && key_ == "name") event_.name = text;
    if (depth_ == kEvent && key_ == "cat") event_.category = text;
    if (is_argument("name")) event_.named = text;
    if (is_argument("kind")) event_.kind = text;
    if (is_argument("parameter")) event_.parameter = text;
    if (is_argument("tiles")) event_.tiles = text;
    return true;
  }
  bool number_integer(int64_t n) override { return number(static_cast<double>(n)); }
  bool number_unsigned(uint64_t n) override { return number(static_cast<double>(n)); }
  bool number_float(double x, const std::string&) override { return number(x); }
  bool null() override { return true; }
  bool boolean(bool value) override {
    if (is_argument("critical")) event_.critical = value;
    return true;
  }
  bool binary(json::binary_t&) override { return true; }
  bool parse_error(size_t position, const std::string&, const json::exception&) override {
    found_.is_json = false;
    found_.error_byte = position;
    return false;
  }

 private:
  static constexpr int kEvents = 2, kEvent = 3, kArguments = 4;  // depths

  bool is_argument(const char* name) const {
    return depth_ == kArguments && in_arguments_ && key_ == name;
  }

  bool number(double x) {
    if (depth_ == kEvent) {
      if (key_ == "ts") event_.ts = x;
      if (key_ == "dur") event_.dur = x;
      if (key_ == "pid") event_.pid = x;
      if (key_ == "tid") event_.tid = x;
    }
    if (is_argument("step")) event_.step = x;
    if (is_argument("layer")) event_.layer = x;
    if (is_argument("index")) event_.index = x;
    if (is_argument("flops")) event_.flops = x;
    return true;
  }

  const OnTraceEvent& on_event_;
  TraceText found_;
  int depth_ = 0;
  bool in_events_ = false, in_arguments_ = false;
  std::string key_;
  TraceEvent event_;
};

template <typename... Input>
TraceText parse(const OnTraceEvent& event, Input&&... input) {
  TraceReader reader(event);
  json::sax_parse(std::forward<Input>(input)..., &reader);
  return reader.found();
}

}  // namespace

TraceText for_each_trace_event(std::string_view text, const OnTraceEvent& event) {
  return parse(event, text.begin(), text.end());
}

TraceText for_each_trace_event(std::istream& text, const OnTraceEvent& event) {
  return parse(event, text);
}

}  // namespace weft
