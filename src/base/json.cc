#include "base/json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"

namespace weft {
namespace {

using nlohmann::json;
using Event = json::parse_event_t;

constexpr int kMaxDepth = 32;
constexpr uintmax_t kMaxFileBytes = 100'000'000;

// Parses one text. Every error names its source.
class Parser {
 public:
  Parser(const std::string& where, const std::string& source) : where_(where), source_(source) {}

  json parse(std::string_view text) {
    check_bytes(text);
    const auto callback = [this](int depth, Event event, json& parsed) {
      check_event(depth, event, parsed);
      return true;
    };
    try {
      return json::parse(text.begin(), text.end(), callback);
    } catch (const json::parse_error& e) {
      throw error(fmt::format("is not JSON in UTF-8: see byte {}", e.byte));
    } catch (const json::exception&) {
      throw error("holds a number that is out of range");
    }
  }

 private:
  Error error(const std::string& reason) const {
    return input_error(where_, source_ + " " + reason);
  }

  // The library would skip a byte order mark and take a NUL byte for the end of the text.
  void check_bytes(std::string_view text) const {
    if (text.starts_with("\xEF\xBB\xBF")) throw error("begins with a byte order mark");
    if (text.find('\0') != text.npos) throw error("is not JSON: it holds a NUL byte");
  }

  // The library would accept deep nesting, and keep the last of several equal keys.
  void check_event(int depth, Event event, const json& parsed) {
    const bool deepens = event == Event::object_start || event == Event::array_start;
    if (deepens && depth >= kMaxDepth) {
      throw error(fmt::format("nests deeper than {} levels", kMaxDepth));
    }
    if (event == Event::object_start) keys_.emplace_back();
    if (event == Event::object_end) keys_.pop_back();
    if (event == Event::key) require_new(parsed.get_ref<const std::string&>());
  }

  void require_new(const std::string& key) {
    if (!keys_.back().insert(key).second) {
      throw error("holds the key " + printable(key) + " twice");
    }
  }

  const std::string& where_;
  const std::string& source_;
  std::vector<std::set<std::string>> keys_;  // of the open objects, outermost first
};

}  // namespace

json parse_json(std::string_view text, const std::string& where, const std::string& source) {
  return Parser(where, source).parse(text);
}

std::optional<TornLine> for_each_json_line(std::string_view text, const std::string& where,
                                           const std::string& source, const OnJsonLine& record) {
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    const std::string place = fmt::format("{}: line {}", source, number);
    try {
      record(parse_json(line, where, place), line, place);
    } catch (const Error&) {
      if (end != text.npos) throw;
      return TornLine{place, line.size()};
    }
  }
  return std::nullopt;
}

json read_json_object(const std::filesystem::path& path, const std::string& where) {
  std::error_code unknown;
  const uintmax_t bytes = std::filesystem::file_size(path, unknown);
  if (!unknown && bytes > kMaxFileBytes) {
    throw input_error(where, fmt::format("{} is too large: {} bytes", path.string(), bytes));
  }
  json object = parse_json(read_file(path), where, path.string());
  if (!object.is_object()) throw input_error(where, path.string() + " is not a JSON object");
  return object;
}

std::string json_text(const nlohmann::ordered_json& value, int indent) {
  return value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string printable(std::string_view text) {
  constexpr size_t kMaxBytes = 80;
  std::string result = "\"";
  for (const char c : text.substr(0, kMaxBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7F) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result + (text.size() > kMaxBytes ? "...\"" : "\"");
}

}  // namespace weft
