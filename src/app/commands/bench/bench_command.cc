// `weft bench`: times a training step, its kernels, its scheduling and its transfers.
#include <fmt/format.h>

#include <array>
#include <cstdio>

#include "app/command_table.h"
#include "app/commands/bench/bench_options.h"
#include "base/error.h"

namespace weft {
namespace {

constexpr const char* kHelp =
    "weft bench: times weft on this machine\n\n"
    "Usage: weft bench COMMAND [FLAGS]\n\nCommands:\n"
    "  step      A training step: how long, how even, and where the time goes\n"
    "  kernels   Each kernel at the step's shapes, against what this machine can do\n"
    "  tasks     What each execution model adds to an operation\n"
    "  comm      Each collective between the ranks of mpirun or srun, against their link\n\n"
    "  weft bench COMMAND --help   lists its flags\n\n"
    "For example, GPT-2 with 4 sequences of 64 tokens:\n"
    "  weft bench step --model gpt2 --batch-size 4 --seq-len 64\n"
    "  weft bench kernels --filter '^qkv/'\n";

struct Bench {
  const char* name;
  int (*run)(const Arguments&);
};

constexpr std::array<Bench, 4> kBenches = {{{"step", bench_step},
                                            {"kernels", bench_kernels},
                                            {"tasks", bench_tasks},
                                            {"comm", bench_comm}}};

}  // namespace

int bench_command(const Arguments& arguments) {
  if (arguments.empty()) {
    throw input_error("bench", "a command is missing", "weft bench --help lists them");
  }
  const std::string& first = arguments.front();
  std::vector<std::string> names = {"--help"};
  for (const Bench& bench : kBenches) {
    if (first == bench.name) return bench.run({arguments.begin() + 1, arguments.end()});
    names.emplace_back(bench.name);
  }
  if (first == "--help" || first == "-h" || first == "help") {
    std::fputs(kHelp, stdout);
    return 0;
  }
  throw input_error(
      "bench", fmt::format("unknown {} {}", first.starts_with('-') ? "flag" : "command", first),
      fmt::format("did you mean {}?", nearest_name(first, names)));
}

}  // namespace weft
