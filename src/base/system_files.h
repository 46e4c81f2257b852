// Reads the small text files of /proc and /sys, where a missing file is not an error.
#pragma once

#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

namespace weft {

// Returns the content of a file, or "" if it cannot be read.
inline std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Returns the first line of a file.
inline std::string file_line(const std::filesystem::path& path) {
  const std::string text = file_text(path);
  return text.substr(0, text.find('\n'));
}

// Returns the number at the beginning of the text; empty if there is none or it is too large.
template <typename T>
std::optional<T> leading_number(std::string_view text) {
  T value = {};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

template <typename T>
std::optional<T> file_number(const std::filesystem::path& path) {
  return leading_number<T>(file_text(path));
}

// Returns the value after a name, which white space or a colon ends: "12 kB" of "MemTotal:  12 kB".
// "" if no line begins with the name.
inline std::string field(const std::string& text, std::string_view name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name)) continue;
    const size_t value = line.find_first_not_of(" \t:", name.size());
    if (value == name.size()) continue;  // a longer name
    return value == std::string::npos ? "" : line.substr(value);
  }
  return "";
}

}  // namespace weft
