#include "timeline/op_path.h"

#include <charconv>

namespace weft {
namespace {

// The digits between a word that the name begins with and a slash: "12" of "block12/qkv", for
// "block". Empty where there are none.
std::string_view number_after(std::string_view word, std::string_view name) {
  if (!name.starts_with(word)) return {};
  const size_t slash = name.find_first_not_of("0123456789", word.size());
  if (slash == name.npos || name[slash] != '/') return {};
  return name.substr(word.size(), slash - word.size());
}

}  // namespace

std::string op_kind(std::string_view op_name) {
  const std::string_view path = op_name.substr(0, op_name.find('['));
  const std::string_view last = path.substr(path.rfind('/') + 1);
  if (path != last && last == "update") return std::string(last);
  if (path != last && last == "norm") return "norm/partials";
  for (const std::string_view word : {"classifier", "exchange"}) {
    const std::string_view number = number_after(word, path);
    if (!number.empty()) return std::string(word).append(path.substr(word.size() + number.size()));
  }
  const std::string_view layer = number_after("block", path);
  return std::string(layer.empty() ? path : path.substr(path.find('/') + 1));
}

int op_layer(std::string_view op_name) {
  const std::string_view digits = number_after("block", op_name);
  int layer = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), layer);
  return error == std::errc() ? layer : -1;
}

std::string_view op_tiles(std::string_view op_name) {
  const size_t bracket = op_name.find('[');
  if (bracket == op_name.npos || !op_name.ends_with(']')) return {};
  return op_name.substr(bracket + 1, op_name.size() - bracket - 2);
}

}  // namespace weft
