// `weft inspect`: what is this, and is it whole?
#include <fmt/format.h>

#include <cstdio>

#include "app/commands.h"
#include "app/inspection.h"
#include "app/terminal.h"

namespace weft {

int inspect_command(const Arguments& arguments) {
  std::string path;
  Options flags("inspect",
                "Says what a file or directory is, its sizes, and whether it is whole; "
                "the exit status is 2 where it is not.");
  const CLI::Option* given =
      flags.text("PATH", path, "", "Model, checkpoint, run directory, token shard or tokenizer");
  if (!flags.parse(arguments)) return 0;
  flags.require(given, "name a file or directory");
  const Inspection found = inspect(path);
  Terminal terminal;
  for (const std::string& note : found.notes) terminal.line("note: " + note);
  fmt::print("{}: {}\n", path, found.kind);
  for (const auto& [name, value] : found.facts) fmt::print("  {:<18} {}\n", name, value);
  fmt::print("  {:<18} yes\n", "whole");
  return 0;
}

}  // namespace weft
