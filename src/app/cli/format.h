// Numbers as text for people.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace weft {

std::string format_count(int64_t n);              // "1,234,567"
std::string format_large(double n);               // "124.4 M"
std::string format_bytes(size_t bytes);           // "1.5 GB"
std::string format_duration(double seconds);      // "0:07", "12:34", "1:02:03"
std::string format_percent(double share);         // "41.2 %"
std::string quote_for_shell(const std::string&);  // as is, or in single quotes

}  // namespace weft
