#include "app/cli/config_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string_view>

#include "app/cli/options.h"
#include "base/error.h"

namespace weft {
namespace {

bool is_bare(std::string_view text) {
  if (text == "true" || text == "false") return true;
  double number = 0.;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end && std::isfinite(number);
}

std::string to_item(const std::string& text) {
  if (is_bare(text)) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\t') {
      quoted += "\\t";
    } else {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string to_array(const std::vector<std::string>& items) {
  std::string array = "[";
  for (const std::string& item : items) array += (array.size() > 1 ? ", " : "") + to_item(item);
  return array + "]";
}

// Reads one line from left to right.
class LineReader {
 public:
  LineReader(std::string where, int number, std::string_view line)
      : where_(std::move(where)), number_(number), rest_(line) {
    skip_space();
  }

  bool at_end() const { return rest_.empty() || rest_.front() == '#'; }

  std::string name() {
    if (rest_.starts_with('[')) throw error("sections are not used here");
    std::string name(take_while([](char c) { return c != '=' && c != '#' && !is_space(c); }));
    expect('=');
    return name;
  }

  std::vector<std::string> value() {
    std::vector<std::string> items;
    if (!accept('[')) {
      items.push_back(item());
    } else {
      while (!accept(']')) {
        items.push_back(item());
        if (!rest_.starts_with(']')) expect(',');
      }
    }
    if (!at_end()) throw error(fmt::format("unexpected '{}'", rest_));
    return items;
  }

  Error error(const std::string& what, const std::string& hint = {}) const {
    return input_error(where_, fmt::format("--config: line {}: {}", number_, what), hint);
  }

 private:
  static bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

  void skip_space() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }

  bool accept(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    skip_space();
    return true;
  }

  void expect(char c) {
    if (!accept(c)) throw error(fmt::format("expected '{}'", c), "flags are written name = value");
  }

  template <typename Predicate>
  std::string_view take_while(Predicate belongs) {
    const auto end = std::ranges::find_if_not(rest_, belongs);
    const std::string_view taken = rest_.substr(0, static_cast<size_t>(end - rest_.begin()));
    rest_.remove_prefix(taken.size());
    skip_space();
    return taken;
  }

  std::string item() {
    if (rest_.starts_with('"') || rest_.starts_with('\'')) return quoted();
    const auto belongs = [](char c) { return c != ',' && c != ']' && c != '#' && !is_space(c); };
    const std::string_view bare = take_while(belongs);
    if (!is_bare(bare)) {
      throw error(fmt::format("'{}' is neither a number nor true or false", bare),
                  "text needs quotes");
    }
    return std::string(bare);
  }

  // Double quotes know escapes, single quotes do not.
  std::string quoted() {
    const char quote = next();
    std::string text;
    for (char c = next(); c != quote; c = next()) {
      text += c == '\\' && quote == '"' ? escaped(next()) : c;
    }
    skip_space();
    return text;
  }

  char next() {
    if (rest_.empty()) throw error("a quote is not closed");
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  char escaped(char c) const {
    if (c == 'n') return '\n';
    if (c == 't') return '\t';
    if (c == '"' || c == '\\') return c;
    throw error(fmt::format("unknown escape \\{}", c));
  }

  std::string where_;
  int number_;
  std::string_view rest_;
};

std::vector<std::string> values_of(const CLI::Option& option, bool defaults) {
  if (!option.results().empty()) return option.results();
  if (!defaults || option.get_default_str().empty()) return {};
  return {option.get_default_str()};
}

}  // namespace

std::vector<std::string> flag_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back(name);
  }
  return names;
}

std::string ConfigFile::to_config(const CLI::App* app, bool defaults, bool, std::string) const {
  std::string text;
  for (const CLI::Option* option : app->get_options()) {
    if (!option->get_configurable()) continue;
    const std::vector<std::string> values = values_of(*option, defaults);
    if (values.empty()) continue;
    const bool is_list = option->get_expected_max() > 1;
    text += fmt::format("{} = {}\n", option->get_lnames().front(),
                        is_list ? to_array(values) : to_item(values.front()));
  }
  return text;
}

std::vector<CLI::ConfigItem> ConfigFile::from_config(std::istream& input) const {
  const std::vector<std::string> names = flag_names(app_);
  std::vector<CLI::ConfigItem> items;
  std::string line;
  for (int number = 1; std::getline(input, line); ++number) {
    LineReader reader(command_, number, line);
    if (reader.at_end()) continue;
    CLI::ConfigItem& item = items.emplace_back();
    item.name = reader.name();
    const CLI::Option* option = app_.get_option_no_throw("--" + item.name);
    if (option == nullptr) {
      throw reader.error(fmt::format("unknown name {}", item.name),
                         fmt::format("did you mean {}?", nearest_name(item.name, names)));
    }
    if (!option->get_configurable()) {
      throw reader.error(fmt::format("{} belongs on the command line", item.name));
    }
    item.inputs = reader.value();
    const bool is_switch = option->get_expected_max() == 0;
    if (is_switch && item.inputs != Arguments{"true"} && item.inputs != Arguments{"false"}) {
      throw reader.error(fmt::format("{} is either true or false", item.name));
    }
  }
  return items;
}

}  // namespace weft
