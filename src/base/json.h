// Reads JSON from files that may be damaged or hostile.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

// Parses one JSON value, which only white space may follow. Stricter than the library: a duplicate
// key, more than 32 levels of nesting, a byte order mark and a NUL byte are errors as well.
// `source` names the text in the message. Throws Error (kInput) at `where`.
nlohmann::json parse_json(std::string_view text, const std::string& where,
                          const std::string& source);

// A last line without a newline: the only damage that a killed writer leaves in a log.
struct TornLine {
  std::string place;  // "metrics.jsonl: line 7"
  size_t bytes = 0;
};

// Calls record(parsed, line, place) for each line of JSON lines. An Error, of record or of the
// parser, is returned if it comes from a last line without a newline, and thrown otherwise.
using OnJsonLine =
    std::function<void(nlohmann::json record, std::string_view line, const std::string& place)>;
std::optional<TornLine> for_each_json_line(std::string_view text, const std::string& where,
                                           const std::string& source, const OnJsonLine& record);

// Returns the value as text, on one line or indented. Replaces bytes that are not UTF-8.
std::string json_text(const nlohmann::ordered_json& value, int indent = -1);

// Parses a file like parse_json. The file must hold an object and have at most 100 MB.
nlohmann::json read_json_object(const std::filesystem::path& path, const std::string& where);

// Returns the text in double quotes, cut after 80 bytes, with all characters escaped but printable
// ASCII, so that a name from a file cannot break a message into several lines.
std::string printable(std::string_view text);

}  // namespace weft
