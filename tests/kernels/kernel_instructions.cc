// Calls kernels so that callgrind can count the instructions of each, and of nothing else.
//
//   valgrind --tool=callgrind --collect-atstart=no kernel_instructions [NAME...]
//   kernel_instructions --list     the names
//   kernel_instructions --build    the compiler and the kind of build, as the table has them
//
// Without a name it takes all kernels. Each leaves one dump of counts that carries its name;
// tests/kernel_instructions_test.py reads them. Prints the instruction sets that it ran on.
#include <fmt/format.h>
#include <valgrind/callgrind.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "kernels/gemm.h"
#include "kernels/instruction_cases.h"
#include "kernels/simd_target.h"

namespace weft {
namespace {

void measure(const InstructionCase& kernel) {
  CaseMemory memory;
  const auto call = kernel.prepare(memory);
  call();  // picks the instruction set, and binds what the dynamic linker binds at the first call
  CALLGRIND_ZERO_STATS;
  CALLGRIND_TOGGLE_COLLECT;
  call();
  CALLGRIND_TOGGLE_COLLECT;
  CALLGRIND_DUMP_STATS_AT(kernel.name.c_str());
}

int measure_all(const std::vector<std::string>& names) {
  std::vector<InstructionCase> cases = instruction_cases();
  const auto unwanted = [&](const InstructionCase& kernel) {
    return !names.empty() && std::ranges::find(names, kernel.name) == names.end();
  };
  std::erase_if(cases, unwanted);
  if (cases.empty()) {
    fmt::print(stderr, "no kernel of that name: see --list\n");
    return 2;
  }
  fmt::print("{}, {}\n", simd_target(), gemm_description());
  for (const InstructionCase& kernel : cases) measure(kernel);
  return 0;
}

int list() {
  for (const InstructionCase& kernel : instruction_cases()) fmt::print("{}\n", kernel.name);
  return 0;
}

}  // namespace
}  // namespace weft

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string first = arguments.empty() ? "" : arguments.front();
  if (first == "--list") return weft::list();
  if (first == "--build") return std::puts(WEFT_BUILD) < 0;
  return weft::measure_all(arguments);
}
