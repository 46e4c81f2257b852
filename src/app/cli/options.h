// Options: the flags of one command. CLI11 splits the command line; the values are read here, so
// that a wrong one is an Error that names its flag. CLI11 takes seconds to compile, so only
// options.cc includes it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace weft {

using Arguments = std::vector<std::string>;

// The limits are allowed values themselves.
template <typename T>
struct Limits {
  T least, most;
};

// A handle of a flag that Options added; copies refer to the same flag. REQUIRES: the Options still
// exist.
class Flag {
 public:
  // True if the command line or the configuration file has set the flag. REQUIRES: Options::parse
  // has returned.
  bool is_given() const;

  // Makes it an error to give this flag without `other`.
  void needs(Flag other);

  // Replaces the default that the help and the dumped configuration show.
  void show_default(const std::string& text);

  // Makes it an error to set the flag in a configuration file.
  void only_on_command_line();

 private:
  friend class Options;
  explicit Flag(CLI::Option& option) : option_(&option) {}

  CLI::Option* option_;
};

// Each adder registers a flag, shows the variable's value as its default and sets the variable when
// the flag is given. REQUIRES: the variables outlive this.
class Options {
 public:
  // name is what follows `weft`: "train".
  Options(const std::string& name, const std::string& summary);
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  // The help lists the flags that are added from here on under this heading.
  void group(const std::string& heading) { group_ = heading; }

  Flag integer(const std::string& flag, int64_t& value, Limits<int64_t> limits,
               const std::string& help);
  Flag seed(const std::string& flag, uint64_t& value, const std::string& help);
  // Accepts finite numbers only.
  Flag real(const std::string& flag, double& value, Limits<double> limits, const std::string& help);
  Flag text(const std::string& flag, std::string& value, const std::string& type,
            const std::string& help);
  // Accepts one of `names`.
  Flag choice(const std::string& flag, std::string& value, const std::vector<std::string>& names,
              const std::string& help);
  // Accepts one of the names and sets the value that belongs to it.
  template <typename T>
  Flag choice(const std::string& flag, T& value,
              const std::vector<std::pair<std::string, T>>& choices, const std::string& help) {
    std::vector<std::string> names;
    std::string shown;
    for (const auto& [name, choice] : choices) {
      names.push_back(name);
      if (choice == value) shown = name;
    }
    return add_choice(flag, names, shown, help,
                      [&value, choices](size_t i) { value = choices[i].second; });
  }
  // Accepts one or more values.
  Flag texts(const std::string& flag, std::vector<std::string>& values, const std::string& type,
             const std::string& help);
  // `--name`, or `--name,!--no-name` to let the user say either.
  Flag flag(const std::string& flags, bool& value, const std::string& help);

  // Adds --config and --dump-config.
  void configurable();
  bool wants_dump() const { return wants_dump_; }

  // Returns every flag with its value, as --config reads it back.
  std::string to_toml() const;

  // Returns false if --help was given, after printing the help. Throws Error (kInput).
  bool parse(const Arguments& arguments);

  // Returns an Error about the value of a flag.
  Error error(const std::string& flag, const std::string& what, const std::string& hint = {}) const;
  // Throws Error unless the flag was given, with a value that is not empty.
  void require(Flag flag, const std::string& hint) const;

 private:
  Flag add_choice(const std::string& flag, const std::vector<std::string>& names,
                  const std::string& shown, const std::string& help,
                  std::function<void(size_t)> choose);

  using ReadValues = std::function<void(const std::vector<std::string>& values)>;

  Flag add(const std::string& flag, const std::string& type, const std::string& shown,
           const std::string& help, ReadValues read);
  [[noreturn]] void reject_extras() const;
  std::string check_config(const std::string& path) const;

  std::string name_;
  std::unique_ptr<CLI::App> app_;
  std::string group_ = "Options";
  bool wants_dump_ = false;
};

// Returns the candidate that takes the fewest edits to reach; one that begins with the typed text
// takes none. REQUIRES: there are candidates.
std::string nearest_name(std::string_view typed, std::span<const std::string> candidates);

}  // namespace weft
