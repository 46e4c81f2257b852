// Reading JSON that nobody vouches for.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

// One JSON value with nothing after it but white space. Stricter than the library: a duplicate key,
// more than 32 levels of nesting, a byte order mark and a NUL byte are errors too.
// `source` names the text in the message. Throws Error (kInput) at `where`.
nlohmann::json parse_json(std::string_view text, const std::string& where,
                          const std::string& source);

// A last line without an end, which is all that may be wrong of what a killed program wrote.
struct TornLine {
  std::string place;  // "metrics.jsonl: line 7"
  size_t bytes = 0;
};

// Calls record(parsed, line, place) for each line of JSON lines. An Error of it or of the parser is
// the result where it comes from a last line without an end, and else is thrown.
using OnJsonLine =
    std::function<void(nlohmann::json record, std::string_view line, const std::string& place)>;
std::optional<TornLine> for_each_json_line(std::string_view text, const std::string& where,
                                           const std::string& source, const OnJsonLine& record);

// parse_json of a file that must hold an object and be at most 100 MB long.
nlohmann::json read_json_object(const std::filesystem::path& path, const std::string& where);

// The text in double quotes, cut after 80 bytes, with everything but printable ASCII escaped: a
// name from a file cannot break the one line of a message.
std::string printable(std::string_view text);

}  // namespace weft
