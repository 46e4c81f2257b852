// ConfigFile: a command's flags as a TOML file, for --config, --dump-config and a run's
// config.toml.
//
//   file  = { [ name "=" value ] [ "#" comment ] newline }
//   value = item | "[" [ item { "," item } [ "," ] ] "]"                on one line
//   item  = '"' text with \" \\ \n \t '"' | "'" text "'" | true | false | number
//
// for example:
//
//   data = ["a.txt", "b.txt"]
//   lr = 0.0003
#pragma once

#include <CLI/CLI.hpp>
#include <istream>
#include <string>
#include <vector>

namespace weft {

class ConfigFile : public CLI::Config {
 public:
  // REQUIRES: the app outlives this.
  ConfigFile(std::string command, const CLI::App& app) : command_(std::move(command)), app_(app) {}

  // Every configurable flag that has a value or, if `defaults`, a default.
  std::string to_config(const CLI::App* app, bool defaults, bool descriptions,
                        std::string prefix) const override;

  // Throws Error (kInput) that names the line and, for an unknown name, the nearest one.
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;

 private:
  std::string command_;
  const CLI::App& app_;
};

// The long names of an app's flags, without dashes.
std::vector<std::string> flag_names(const CLI::App& app);

}  // namespace weft
