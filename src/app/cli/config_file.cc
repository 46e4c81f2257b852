#include "app/cli/config_file.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace weft {
namespace {

constexpr const char* kWritten = "flags are written name = value, and text needs quotes";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <typename T>
bool reads_as(std::string_view text) {
  T value = {};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

// True for every finite number that a flag accepts. TOML refuses some of them, such as .5 and 007.
bool is_number(std::string_view text) {
  return reads_as<double>(text) && text.find_first_of("infa") == text.npos;
}

// True for decimal numbers of TOML: digits on both sides of the point, no leading zeros, and
// integers of 64 bits.
bool is_toml_number(std::string_view text) {
  if (!is_number(text)) return false;
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (!is_digit(digits.front())) return false;
  if (digits.size() > 1 && digits[0] == '0' && is_digit(digits[1])) return false;
  const size_t point = digits.find('.');
  if (point != digits.npos) return point + 1 < digits.size() && is_digit(digits[point + 1]);
  return digits.find_first_of("eE") != digits.npos || reads_as<int64_t>(text);
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (const auto byte = static_cast<unsigned char>(c); byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\u{:04X}", byte);
    } else {
      if (c == '"' || c == '\\') result += '\\';
      result += c;
    }
  }
  return result + '"';
}

std::string to_toml(const std::string& value) {
  const bool is_bare = value == "true" || value == "false" || is_toml_number(value);
  return is_bare ? value : quoted(value);
}

// Converts the values of a parsed text to text. A number keeps the digits that the file has.
class ValueReader {
 public:
  ValueReader(std::string_view text, const std::string& command) : command_(command) {
    while (!text.empty()) {
      const size_t end = text.find('\n');
      lines_.push_back(text.substr(0, end));
      text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
  }

  ConfigEntry entry(const toml::key& key, const toml::node& node) const {
    const auto line = static_cast<int>(key.source().begin.line);
    ConfigEntry entry{std::string(key.str()), {}, line};
    if (node.is_table()) throw config_error(command_, line, "sections are not used here");
    if (const toml::array* array = node.as_array()) {
      for (const toml::node& item : *array) entry.values.push_back(item_text(entry, item));
    } else {
      entry.values.push_back(item_text(entry, node));
    }
    return entry;
  }

 private:
  std::string item_text(const ConfigEntry& entry, const toml::node& node) const {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
    if (!node.is_number()) {
      throw config_error(command_, entry.line,
                         fmt::format("{} is neither text, a number nor true or false", entry.name),
                         "text needs quotes");
    }
    const std::string_view digits = source_text(node.source());
    if (is_number(digits)) return std::string(digits);
    const auto* whole = node.as_integer();  // 1_000, 0x10
    return whole != nullptr ? std::to_string(whole->get())
                            : fmt::format("{}", node.as_floating_point()->get());
  }

  // Returns the source text of a region within one line. Columns count code points of UTF-8.
  std::string_view source_text(const toml::source_region& region) const {
    const std::string_view line = lines_[region.begin.line - 1];
    const size_t begin = byte_of(line, region.begin.column);
    return line.substr(begin, byte_of(line, region.end.column) - begin);
  }

  static size_t byte_of(std::string_view line, toml::source_index column) {
    size_t byte = 0;
    for (toml::source_index at = 0; byte < line.size(); ++byte) {
      const bool begins_code_point = (static_cast<unsigned char>(line[byte]) & 0xC0) != 0x80;
      if (begins_code_point && ++at == column) break;
    }
    return byte;
  }

  const std::string& command_;
  std::vector<std::string_view> lines_;
};

std::vector<ConfigEntry> entries_of(std::string_view text, const std::string& command) {
  const toml::table table = toml::parse(text);
  const ValueReader reader(text, command);
  std::vector<ConfigEntry> entries;
  for (const auto& [key, node] : table) entries.push_back(reader.entry(key, node));
  std::ranges::stable_sort(entries, {}, &ConfigEntry::line);
  return entries;
}

// Puts quotes around the numbers. Versions of weft before toml++ wrote every number without quotes,
// as it was typed, including those that are not TOML, such as .5, 007 and seeds from 2^63.
std::string with_quoted_numbers(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const size_t value = std::min(line.find(" = "), line.size());
    const std::string_view number = line.substr(std::min(value + 3, line.size()));
    result += is_number(number) ? fmt::format("{} = \"{}\"", line.substr(0, value), number)
                                : std::string(line);
    result += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

}  // namespace

Error config_error(const std::string& command, int line, const std::string& what,
                   const std::string& hint) {
  return input_error(command, fmt::format("--config: line {}: {}", line, what), hint);
}

std::vector<ConfigEntry> read_config_text(std::string_view text, const std::string& command) {
  try {
    return entries_of(text, command);
  } catch (const toml::parse_error& error) {
    try {
      return entries_of(with_quoted_numbers(text), command);
    } catch (const toml::parse_error&) {
      throw config_error(command, static_cast<int>(error.source().begin.line),
                         std::string(error.description()), kWritten);
    }
  }
}

std::string config_line(const std::string& name, const std::string& value) {
  return fmt::format("{} = {}\n", name, to_toml(value));
}

std::string config_line(const std::string& name, const std::vector<std::string>& values) {
  std::string array;
  for (const std::string& value : values) array += (array.empty() ? "" : ", ") + to_toml(value);
  return fmt::format("{} = [{}]\n", name, array);
}

}  // namespace weft
