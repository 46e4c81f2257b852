// `weft inspect`: says what a file or directory is, and whether it is whole.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cli/terminal.h"
#include "app/command_table.h"
#include "app/commands/inspect/inspection.h"
#include "base/json.h"

namespace weft {
namespace {

using nlohmann::ordered_json;

void print_text(const std::string& path, const Inspection& found) {
  fmt::print("{}: {}\n", path, found.kind);
  for (const Fact& fact : found.facts) fmt::print("  {:<18} {}\n", fact.name, fact.text);
  const std::string whole = !found.flaw.empty()    ? "no"
                            : !found.doubt.empty() ? "unknown: " + found.doubt
                                                   : "yes";
  fmt::print("  {:<18} {}\n", "whole", whole);
}

// Prints one object with the facts under their names, with underscores. `whole` is null if it is
// not known.
void print_json(const std::string& path, const Inspection& found) {
  ordered_json json = {{"path", path}, {"kind", found.kind}};
  for (const Fact& fact : found.facts) {
    std::string name = fact.name;
    std::ranges::replace(name, ' ', '_');
    json[name] = ordered_json::parse(fact.json);
  }
  json["whole"] = found.doubt.empty() ? ordered_json(found.flaw.empty()) : ordered_json();
  std::puts(json_text(json).c_str());
}

}  // namespace

int inspect_command(const Arguments& arguments) {
  std::string path;
  bool as_json = false;
  Options flags("inspect",
                "Says what a file or directory is, its sizes, and whether it is whole; "
                "the exit status is 2 where it is not.");
  const Flag given = flags.text(
      "PATH", path, "",
      "Model, checkpoint, run directory, token shard, tokenizer, HellaSwag file, metrics, event "
      "file, trace or configuration");
  flags.flag("--json", as_json, "Print one line of JSON");
  if (!flags.parse(arguments)) return 0;
  flags.require(given, "name a file or directory");
  const Inspection found = inspect(path);
  Terminal terminal;
  for (const std::string& note : found.notes) terminal.line("note: " + note);
  (as_json ? print_json : print_text)(path, found);
  if (!found.flaw.empty()) throw input_error("inspect", found.flaw);
  return 0;
}

}  // namespace weft
