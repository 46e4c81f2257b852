// Options: the flags of one command. CLI11 splits the command line; the values are read here, so
// that a wrong one is an Error that names its flag.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weft {

using Arguments = std::vector<std::string>;

// Both included.
template <typename T>
struct Limits {
  T least, most;
};

// Each adder registers a flag, shows the variable's value as its default and sets the variable when
// the flag is given. REQUIRES: the variables outlive this.
class Options {
 public:
  // name is what follows `weft`: "train".
  Options(const std::string& name, const std::string& summary);

  // Flags that are added from here on appear under this heading of the help.
  void group(const std::string& heading) { group_ = heading; }

  CLI::Option* integer(const std::string& flag, int64_t& value, Limits<int64_t> limits,
                       const std::string& help);
  CLI::Option* seed(const std::string& flag, uint64_t& value, const std::string& help);
  // Finite numbers only.
  CLI::Option* real(const std::string& flag, double& value, Limits<double> limits,
                    const std::string& help);
  CLI::Option* text(const std::string& flag, std::string& value, const std::string& type,
                    const std::string& help);
  // One of `names`.
  CLI::Option* choice(const std::string& flag, std::string& value,
                      const std::vector<std::string>& names, const std::string& help);
  // One or more values.
  CLI::Option* texts(const std::string& flag, std::vector<std::string>& values,
                     const std::string& type, const std::string& help);
  // `--name`, or `--name,!--no-name` to let the user say either.
  CLI::Option* flag(const std::string& flags, bool& value, const std::string& help);

  // Adds --config and --dump-config.
  void configurable();
  bool wants_dump() const { return wants_dump_; }

  // Every flag with its value, as --config reads it back.
  std::string to_toml() const { return app_.config_to_str(true, false); }

  // False if --help was given and has been printed. Throws Error (kInput).
  bool parse(const Arguments& arguments);

  // An Error about the value of a flag.
  Error error(const std::string& flag, const std::string& what, const std::string& hint = {}) const;
  // Throws Error unless the flag was given, with a value that is not empty.
  void require(const CLI::Option* option, const std::string& hint) const;

 private:
  template <typename Read>
  CLI::Option* add(const std::string& flag, const std::string& type, const std::string& shown,
                   const std::string& help, Read read);
  [[noreturn]] void reject_extras() const;
  std::string check_config(const std::string& path) const;

  std::string name_;
  CLI::App app_;
  std::string group_ = "Options";
  bool wants_dump_ = false;
};

// The candidate that takes the fewest edits to reach, or that continues what was typed.
// REQUIRES: there are candidates.
std::string nearest_name(std::string_view typed, std::span<const std::string> candidates);

}  // namespace weft
