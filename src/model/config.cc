#include "model/config.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/math.h"

namespace weft {
namespace {

constexpr const char* kWhere = "model";
constexpr const char* kForms =
    "use d6, d12, d24, d36, d48, gpt2, gpt2-medium, gpt2-large, gpt2-xl or "
    "L=4,NH=4,C=128,T=128[,V=...]";

struct NamedModel {
  std::string_view name;
  int64_t L, NH, C;
};

// llm.c's depth table, and Hugging Face's names for four of its rows. T is 1024 for all.
constexpr std::array<NamedModel, 12> kNamedModels = {{
    {"d6", 6, 6, 384},
    {"d12", 12, 12, 768},
    {"d24", 24, 16, 1024},
    {"d36", 36, 20, 1280},
    {"d48", 48, 25, 1600},
    {"d60", 60, 30, 1920},
    {"d72", 72, 30, 2880},
    {"d84", 84, 36, 3456},
    {"gpt2", 12, 12, 768},
    {"gpt2-medium", 24, 16, 1024},
    {"gpt2-large", 36, 20, 1280},
    {"gpt2-xl", 48, 25, 1600},
}};

int64_t parse_number(std::string_view key, std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw input_error(kWhere, fmt::format("{}={} is not a whole number", key, text), kForms);
  }
  return value;
}

Config parse_custom(std::string_view text, int64_t default_V) {
  std::optional<int64_t> L, NH, C, T, V;
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find(','));
    text.remove_prefix(field.size() + (field.size() < text.size() ? 1 : 0));
    const size_t equals = field.find('=');
    if (equals == std::string_view::npos) {
      throw input_error(kWhere, fmt::format("cannot read '{}'", field), kForms);
    }
    const std::string_view key = field.substr(0, equals);
    std::optional<int64_t>* slot = key == "L"    ? &L
                                   : key == "NH" ? &NH
                                   : key == "C"  ? &C
                                   : key == "T"  ? &T
                                   : key == "V"  ? &V
                                                 : nullptr;
    if (slot == nullptr) throw input_error(kWhere, fmt::format("unknown key '{}'", key), kForms);
    if (slot->has_value()) throw input_error(kWhere, fmt::format("{} is given twice", key), kForms);
    *slot = parse_number(key, field.substr(equals + 1));
  }
  if (!L || !NH || !C || !T) throw input_error(kWhere, "L, NH, C and T are all needed", kForms);
  return {*L, *NH, *C, *T, V.value_or(default_V)};
}

}  // namespace

// docs/model.md#letters-and-shapes
int64_t Config::Vp() const { return round_up(V, kVocabularyPadding); }

void validate(const Config& config) {
  // Generous limits: far above any GPT-2, far below where a size could overflow 64 bits.
  const auto check = [](const char* name, int64_t value, int64_t limit) {
    if (value < 1 || value > limit) {
      throw input_error(kWhere, fmt::format("{}={} is not in [1, {}]", name, value, limit));
    }
  };
  check("L", config.L, 1000);
  check("NH", config.NH, 1000);
  check("C", config.C, 65536);
  check("T", config.T, 1 << 20);
  check("V", config.V, 1 << 24);
  if (config.C % config.NH != 0) {
    throw input_error(
        kWhere, fmt::format("C={} is not divisible by NH={}", config.C, config.NH),
        fmt::format("heads share the channels evenly: try C={}", round_up(config.C, config.NH)));
  }
}

Config parse_model(const std::string& text, int64_t default_V) {
  Config config;
  bool named = false;
  for (const NamedModel& model : kNamedModels) {
    if (text != model.name) continue;
    config = {model.L, model.NH, model.C, 1024, default_V};
    named = true;
  }
  if (!named) {
    if (text.find('=') == std::string::npos) {
      throw input_error(kWhere, fmt::format("unknown model '{}'", text), kForms);
    }
    config = parse_custom(text, default_V);
  }
  validate(config);
  return config;
}

std::string to_string(const Config& config) {
  return fmt::format("L={},NH={},C={},T={},V={}", config.L, config.NH, config.C, config.T,
                     config.V);
}

}  // namespace weft
