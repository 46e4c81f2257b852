#include "app/cli/format.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string_view>

namespace weft {
namespace {

// Returns three significant digits and a prefix: "124 M".
std::string with_prefix(double n) {
  constexpr std::array<std::string_view, 5> kPrefixes = {"", "k", "M", "G", "T"};
  size_t i = 0;
  for (; n >= 999.5 && i + 1 < kPrefixes.size(); ++i) n /= 1000.;
  if (i == 0) return fmt::format("{:.0f} ", n);
  return fmt::format("{:.{}f} {}", n, n < 9.995 ? 2 : n < 99.95 ? 1 : 0, kPrefixes[i]);
}

}  // namespace

std::string format_count(int64_t n) {
  const std::string digits = fmt::format("{}", n);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    const bool group_begins = (digits.size() - i) % 3 == 0;
    if (group_begins && i > 0 && digits[i - 1] != '-') text += ',';
    text += digits[i];
  }
  return text;
}

std::string format_large(double n) {
  const std::string text = with_prefix(n);
  return text.ends_with(' ') ? text.substr(0, text.size() - 1) : text;
}

std::string format_bytes(size_t bytes) { return with_prefix(static_cast<double>(bytes)) + "B"; }

std::string format_duration(double seconds) {
  const auto s = std::llround(seconds);
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

std::string format_percent(double share) { return fmt::format("{:.1f} %", 100. * share); }

std::string quote_for_shell(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=,:+@";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace weft
