// weft: trains GPT-2 on CPUs. Finds the command, runs it, and turns an exception into a line and an
// exit status.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "app/cli/failure_report.h"
#include "app/command_table.h"
#include "base/error.h"
#include "measure/machine.h"

namespace weft {
namespace {

std::string help_text() {
  std::string text =
      "weft trains GPT-2 on CPUs.\n\n"
      "Usage: weft COMMAND [FLAGS]\n\nCommands:\n";
  for (const Command& command : commands()) {
    text += fmt::format("  {:<10} {}\n", command.name, command.summary);
  }
  return text +
         "\n  weft COMMAND --help   lists the flags of a command\n"
         "  weft --version        says what this program was built from\n";
}

const Command& find_command(const std::string& name) {
  const auto found = std::ranges::find(commands(), name, &Command::name);
  if (found != commands().end()) return *found;
  std::vector<std::string> names = {"--help", "--version"};
  for (const Command& command : commands()) names.emplace_back(command.name);
  throw input_error("weft",
                    fmt::format("unknown {} {}", name.starts_with('-') ? "flag" : "command", name),
                    fmt::format("did you mean {}?", nearest_name(name, names)));
}

int run(const Arguments& arguments) {
  if (arguments.empty()) {
    throw input_error("weft", "a command is missing", "--help lists the commands");
  }
  const std::string& first = arguments.front();
  if (first == "--help" || first == "-h" || first == "help") {
    std::fputs(help_text().c_str(), stdout);
    return kDone;
  }
  if (first == "--version") {
    std::fputs(version_text().c_str(), stdout);
    return kDone;
  }
  return find_command(first).run({arguments.begin() + 1, arguments.end()});
}

int run_and_flush(const Arguments& arguments) {
  const int status = run(arguments);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    throw failure("weft", fmt::format("cannot write to standard output: {}", std::strerror(errno)));
  }
  return status;
}

}  // namespace
}  // namespace weft

int main(int argc, char** argv) {
  using namespace weft;
  try {
    return run_and_flush({argv + std::min(argc, 1), argv + argc});
  } catch (const std::exception& exception) {
    const FailureReport report = describe_failure(exception);
    report.print();
    return report.status;
  }
}
