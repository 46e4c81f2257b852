#include "runlog/tensorboard.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>

#include "runlog/event_fields.h"
#include "runlog/event_records.h"
#include "runlog/protobuf.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr size_t kSecondsDigits = 10;

double now_s() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string begin_event(double wall_time, int64_t step) {
  std::string event;
  put_double(event, kWallTimeField, wall_time);
  if (step != 0) put_integer(event, kStepField, static_cast<uint64_t>(step));
  return event;
}

std::string summary_event(double wall_time, int64_t step, std::string_view summary) {
  std::string event = begin_event(wall_time, step);
  put_bytes(event, kSummaryField, summary);
  return event_record(event);
}

void put_scalar(std::string& summary, std::string_view tag, double number) {
  std::string value;
  put_bytes(value, kTagField, tag);
  put_float(value, kSimpleValueField, static_cast<float>(number));
  put_bytes(summary, kValueField, value);
}

// Replaces bytes that are not UTF-8, as the lines of metrics.jsonl do.
std::string as_utf8(std::string_view text) {
  const std::string quoted =
      ordered_json(text).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  return ordered_json::parse(quoted).get<std::string>();
}

// TensorBoard renders texts as Markdown, which shows indented lines verbatim.
std::string as_code(std::string_view text) {
  std::string code = "    ";
  for (const char c : text) {
    code += c;
    if (c == '\n') code += "    ";
  }
  return code;
}

void put_text(std::string& summary, std::string_view tag, std::string_view text) {
  std::string plugin, metadata, tensor, value;
  put_bytes(plugin, kPluginNameField, "text");
  put_bytes(metadata, kPluginDataField, plugin);
  put_integer(tensor, kDtypeField, kStringDtype);
  put_bytes(tensor, kShapeField, "");
  put_bytes(tensor, kStringValueField, as_code(as_utf8(text)));
  put_bytes(value, kTagField, tag);
  put_bytes(value, kTensorField, tensor);
  put_bytes(value, kMetadataField, metadata);
  put_bytes(summary, kValueField, value);
}

std::string text_event(double wall_time, int64_t step, std::string_view tag,
                       std::string_view text) {
  std::string summary;
  put_text(summary, tag, text);
  return summary_event(wall_time, step, summary);
}

// The first events of every file: its version, and the start of a session.
std::string beginning(double wall_time, int64_t first_step) {
  std::string version = begin_event(wall_time, 0);
  put_bytes(version, kFileVersionField, kEventFileVersion);
  std::string log, start = begin_event(wall_time, first_step);
  put_integer(log, kStatusField, kSessionStart);
  put_bytes(start, kSessionLogField, log);
  return event_record(version) + event_record(start);
}

// The seconds in the name of an event file; 0 for another name.
int64_t seconds_of(const std::string& name) {
  if (!name.starts_with(kEventFilePrefix)) return 0;
  int64_t seconds = 0;
  const char* digits = name.data() + kEventFilePrefix.size();
  const auto [end, error] = std::from_chars(digits, name.data() + name.size(), seconds);
  const bool is_seconds = error == std::errc() && end == digits + kSecondsDigits;
  return is_seconds ? seconds : 0;
}

std::string host_name() {
  std::array<char, 256> name = {};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "host";
  std::string text(name.data());
  std::ranges::replace(text, '/', '-');
  return text;
}

// TensorBoard reads the files of a directory in the order of their names, so the name of a new one
// must sort last, even if two begin within a second or the clock was set back.
fs::path next_event_file(const fs::path& directory) {
  auto seconds = static_cast<int64_t>(now_s());
  std::error_code unreadable;
  for (fs::directory_iterator entry(directory, unreadable), end; !unreadable && entry != end;
       entry.increment(unreadable)) {
    seconds = std::max(seconds, seconds_of(entry->path().filename().string()) + 1);
  }
  return directory /
         fmt::format("{}{:010}.{}.{}.0", kEventFilePrefix, seconds, host_name(), getpid());
}

}  // namespace

std::string event_of(const ordered_json& record, double wall_time) {
  const auto kind = record.at("kind").get<std::string>();
  if (kind == "run") {
    return text_event(wall_time, record.at("first_step").get<int64_t>() - 1, "run/description",
                      record.dump(2, ' ', false, ordered_json::error_handler_t::replace));
  }
  std::string summary;
  for (const auto& [field, content] : record.items()) {
    if (field == "kind" || field == "step") continue;
    const std::string tag = fmt::format("{}/{}", kind, field);
    if (content.is_number()) put_scalar(summary, tag, content.get<double>());
    if (content.is_string()) put_text(summary, tag, content.get<std::string>());
  }
  return summary_event(wall_time, record.at("step").get<int64_t>(), summary);
}

EventLog::EventLog(const fs::path& directory, FileSystem& files)
    : file_(next_event_file(directory), FileSystem::Mode::kReplace, files) {}

std::string EventLog::begin(int64_t first_step, std::string_view config_toml) {
  const double wall_time = now_s();
  return file_.append(beginning(wall_time, first_step) +
                      text_event(wall_time, first_step - 1, "run/config", config_toml));
}

std::string EventLog::write(const ordered_json& record) {
  return file_.append(event_of(record, now_s()));
}

}  // namespace weft
