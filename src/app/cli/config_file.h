// A command's flags as a TOML file (toml.io), for --config, --dump-config and a run's config.toml:
//
//   data = ["a.txt", "b.txt"]
//   lr = 0.0003
//
// There are no tables and no dates. toml++ takes seconds to compile, so only config_file.cc
// includes it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weft {

// One flag in a configuration file.
struct ConfigEntry {
  std::string name;                 // without dashes
  std::vector<std::string> values;  // as text: several if it is an array
  int line = 1;
};

// Returns the entries in the order of their lines. Throws Error (kInput) that names the line. The
// message begins with `command`.
std::vector<ConfigEntry> read_config_text(std::string_view text, const std::string& command);

// Returns an Error about a line of the configuration file.
Error config_error(const std::string& command, int line, const std::string& what,
                   const std::string& hint = {});

// Returns the line that reads back as this entry: numbers and switches as they are, other text in
// quotes.
std::string config_line(const std::string& name, const std::string& value);
std::string config_line(const std::string& name, const std::vector<std::string>& values);

}  // namespace weft
