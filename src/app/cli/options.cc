#include "app/cli/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <istream>
#include <iterator>
#include <memory>
#include <numeric>

#include "app/cli/config_file.h"
#include "base/files.h"

namespace weft {
namespace {

constexpr const char* kListed = "--help lists the flags";

// Reads the whole text as a number; `kind` names the expected kind in the message.
template <typename T>
T read_number(const Options& flags, const std::string& flag, const std::string& text,
              const char* kind) {
  T value = {};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop == end && error == std::errc::result_out_of_range) {
    throw flags.error(flag, fmt::format("{} is out of range", text));
  }
  if (stop != end || error != std::errc()) {
    throw flags.error(flag, fmt::format("'{}' is not {}", text, kind));
  }
  return value;
}

template <typename T>
T within(const Options& flags, const std::string& flag, T value, const Limits<T>& limits) {
  if (limits.least <= value && value <= limits.most) return value;
  throw flags.error(flag, fmt::format("{} is not in [{}, {}]", value, limits.least, limits.most));
}

// fmt's own join sets off a false alarm of g++ 12 (-Wstringop-overflow).
std::string joined(const std::vector<std::string>& names, std::string_view separator) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += separator;
    text += name;
  }
  return text;
}

// A default outside of the limits means "not given": the help shows none.
template <typename T>
std::string shown_default(T value, const Limits<T>& limits) {
  return value < limits.least ? "" : fmt::format("{}", value);
}

// Levenshtein's distance, with one row of the table in memory.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

constexpr size_t kHelpWidth = 100, kFlagColumns = 36;

// Breaks lines at spaces so that none is longer than `width`, unless a word is.
std::string wrapped(std::string_view text, size_t width) {
  std::string result;
  while (text.size() > width) {
    size_t space = text.rfind(' ', width);
    if (space == text.npos) space = text.find(' ');
    if (space == text.npos) break;
    result.append(text.substr(0, space)) += '\n';
    text.remove_prefix(space + 1);
  }
  return result.append(text);
}

// `--lr F     Learning rate [0.0003]`
class HelpFormatter : public CLI::Formatter {
 public:
  // Removes the {false} with which CLI11 marks the negative form of a flag.
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    constexpr std::string_view kMark = "{false}";
    std::string name = CLI::Formatter::make_option_name(option, is_positional);
    const size_t mark = name.find(kMark);
    return mark == std::string::npos ? name : name.erase(mark, kMark.size());
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_expected_max() == 0) return "";
    const bool is_list = option->get_expected_max() > 1;
    return " " + option->get_type_name() + (is_list ? "..." : "");
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    const std::string& shown = option->get_default_str();
    const bool has_default = option->get_expected_max() > 0 && !shown.empty();
    return wrapped(option->get_description() + (has_default ? fmt::format(" [{}]", shown) : ""),
                   kHelpWidth - kFlagColumns);
  }
};

// Returns the long names of the app's flags, without dashes.
std::vector<std::string> flag_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back(name);
  }
  return names;
}

// Lets CLI11 read and write configuration files as TOML.
class ConfigFormat : public CLI::Config {
 public:
  // REQUIRES: the app outlives this.
  ConfigFormat(std::string command, const CLI::App& app)
      : command_(std::move(command)), app_(app) {}

  // Writes every configurable flag that has a value or, with `defaults`, a default.
  std::string to_config(const CLI::App* app, bool defaults, bool, std::string) const override {
    std::string text;
    for (const CLI::Option* option : app->get_options()) {
      if (!option->get_configurable()) continue;
      std::vector<std::string> values = option->results();
      const std::string& default_text = option->get_default_str();
      if (values.empty() && defaults && !default_text.empty()) values = {default_text};
      if (values.empty()) continue;
      const std::string& name = option->get_lnames().front();
      const bool is_list = option->get_expected_max() > 1;
      text += is_list ? config_line(name, values) : config_line(name, values.front());
    }
    return text;
  }

  // Throws Error (kInput) that names the line and, for an unknown name, the nearest one.
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    const std::string text{std::istreambuf_iterator<char>(input), {}};
    std::vector<CLI::ConfigItem> items;
    for (ConfigEntry& entry : read_config_text(text, command_)) {
      check(entry);
      CLI::ConfigItem& item = items.emplace_back();
      item.name = std::move(entry.name);
      item.inputs = std::move(entry.values);
    }
    return items;
  }

 private:
  void check(const ConfigEntry& entry) const {
    const CLI::Option* option = app_.get_option_no_throw("--" + entry.name);
    if (option == nullptr) {
      const std::string nearest = nearest_name(entry.name, flag_names(app_));
      throw config_error(command_, entry.line, fmt::format("unknown name {}", entry.name),
                         fmt::format("did you mean {}?", nearest));
    }
    if (!option->get_configurable()) {
      throw config_error(command_, entry.line,
                         fmt::format("{} belongs on the command line", entry.name));
    }
    const bool is_switch = option->get_expected_max() == 0;
    if (is_switch && entry.values != Arguments{"true"} && entry.values != Arguments{"false"}) {
      throw config_error(command_, entry.line,
                         fmt::format("{} is either true or false", entry.name));
    }
  }

  std::string command_;
  const CLI::App& app_;
};

}  // namespace

std::string nearest_name(std::string_view typed, std::span<const std::string> candidates) {
  const auto distance = [typed](const std::string& candidate) {
    return candidate.starts_with(typed) ? 0 : edit_distance(typed, candidate);
  };
  return *std::ranges::min_element(candidates, {}, distance);
}

bool Flag::is_given() const { return option_->count() > 0; }

void Flag::needs(Flag other) { option_->needs(other.option_); }

void Flag::show_default(const std::string& text) { option_->default_str(text); }

void Flag::only_on_command_line() { option_->configurable(false); }

Options::Options(const std::string& name, const std::string& summary)
    : name_(name), app_(std::make_unique<CLI::App>(wrapped(summary, kHelpWidth), "weft " + name)) {
  app_->set_help_flag("-h,--help", "Print this help and exit")->configurable(false);
  app_->formatter(std::make_shared<HelpFormatter>());
  app_->get_formatter()->column_width(kFlagColumns);
}

Options::~Options() = default;

Flag Options::add(const std::string& flag, const std::string& type, const std::string& shown,
                  const std::string& help, ReadValues read) {
  CLI::callback_t callback = [read = std::move(read)](const CLI::results_t& results) {
    read(results);
    return true;
  };
  CLI::Option* option = app_->add_option(flag, callback, help);
  return Flag(*option->type_name(type)->default_str(shown)->group(group_));
}

Flag Options::integer(const std::string& flag, int64_t& value, Limits<int64_t> limits,
                      const std::string& help) {
  const auto read = [this, flag, limits, &value](const std::vector<std::string>& results) {
    const auto n = read_number<int64_t>(*this, flag, results.front(), "a whole number");
    value = within(*this, flag, n, limits);
  };
  return add(flag, "N", shown_default(value, limits), help, read);
}

Flag Options::seed(const std::string& flag, uint64_t& value, const std::string& help) {
  const auto read = [this, flag, &value](const std::vector<std::string>& results) {
    value = read_number<uint64_t>(*this, flag, results.front(), "a whole number from 0");
  };
  return add(flag, "N", fmt::format("{}", value), help, read);
}

Flag Options::real(const std::string& flag, double& value, Limits<double> limits,
                   const std::string& help) {
  const auto read = [this, flag, limits, &value](const std::vector<std::string>& results) {
    const auto x = read_number<double>(*this, flag, results.front(), "a number");
    if (!std::isfinite(x)) throw error(flag, fmt::format("{} is not finite", results.front()));
    value = within(*this, flag, x, limits);
  };
  return add(flag, "F", shown_default(value, limits), help, read);
}

Flag Options::text(const std::string& flag, std::string& value, const std::string& type,
                   const std::string& help) {
  return add(flag, type, value, help,
             [&value](const std::vector<std::string>& results) { value = results.front(); });
}

Flag Options::choice(const std::string& flag, std::string& value,
                     const std::vector<std::string>& names, const std::string& help) {
  return add_choice(flag, names, value, help, [&value, names](size_t i) { value = names[i]; });
}

Flag Options::add_choice(const std::string& flag, const std::vector<std::string>& names,
                         const std::string& shown, const std::string& help,
                         std::function<void(size_t)> choose) {
  const auto read = [this, flag, names, choose](const std::vector<std::string>& results) {
    const auto found = std::ranges::find(names, results.front());
    if (found == names.end()) {
      throw error(flag, fmt::format("'{}' is not supported", results.front()),
                  "use " + joined(names, ", "));
    }
    choose(static_cast<size_t>(found - names.begin()));
  };
  return add(flag, joined(names, "|"), shown, help, read);
}

Flag Options::texts(const std::string& flag, std::vector<std::string>& values,
                    const std::string& type, const std::string& help) {
  const Flag added = add(flag, type, "", help,
                         [&values](const std::vector<std::string>& results) { values = results; });
  added.option_->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args();
  return added;
}

Flag Options::flag(const std::string& flags, bool& value, const std::string& help) {
  CLI::Option* option = app_->add_flag(flags, value, help);
  return Flag(*option->default_str(value ? "true" : "false")->group(group_));
}

void Options::configurable() {
  app_->set_config("--config", "", "TOML file with flags as `name = value`; flags given here win")
      ->type_name("FILE")
      ->check([this](const std::string& path) { return check_config(path); })
      ->configurable(false)
      ->group(group_);
  app_->config_formatter(std::make_shared<ConfigFormat>(name_, *app_));
  flag("--dump-config", wants_dump_, "Print every flag with its value, as --config reads it")
      .only_on_command_line();
}

// Opens the file before CLI11 does, which would report every failure with the same words, and would
// wait for the writer of a named pipe.
std::string Options::check_config(const std::string& path) const {
  try {
    const MappedFile file(path);
    return {};
  } catch (const Error& reason) {
    throw error("--config", reason.message(), reason.hint());
  }
}

std::string Options::to_toml() const { return app_->config_to_str(true, false); }

bool Options::parse(const Arguments& arguments) {
  try {
    app_->parse(Arguments(arguments.rbegin(), arguments.rend()));
    return true;
  } catch (const CLI::CallForHelp&) {
    std::fputs(app_->help().c_str(), stdout);
    return false;
  } catch (const CLI::ExtrasError&) {
    reject_extras();
  } catch (const CLI::FileError&) {
    throw error("--config", "cannot read the file");
  } catch (const CLI::ParseError& parse_error) {
    throw input_error(name_, parse_error.what(), kListed);
  }
}

// CLI11 returns an unknown flag together with the arguments that follow it; the message names the
// flag.
void Options::reject_extras() const {
  const std::vector<std::string> extras = app_->remaining();
  const auto flag = std::ranges::find_if(extras, [](const std::string& text) {
    return text.find_first_not_of('-') > 0 && text.find_first_not_of('-') != text.npos;
  });
  if (flag == extras.end()) {
    throw input_error(name_, fmt::format("unexpected argument '{}'", extras.front()), kListed);
  }
  const std::string typed = flag->substr(0, flag->find('='));
  const std::string_view name = std::string_view(typed).substr(typed.find_first_not_of('-'));
  throw input_error(name_, fmt::format("unknown flag {}", typed),
                    fmt::format("did you mean --{}?", nearest_name(name, flag_names(*app_))));
}

Error Options::error(const std::string& flag, const std::string& what,
                     const std::string& hint) const {
  return input_error(name_, fmt::format("{}: {}", flag, what), hint);
}

void Options::require(Flag flag, const std::string& hint) const {
  const CLI::Option& option = *flag.option_;
  if (option.count() > 0 && !option.results().front().empty()) return;
  throw input_error(name_, fmt::format("{} is required", option.get_name()), hint);
}

}  // namespace weft
