// libFuzzer's entry: one program for all readers.
//
//   weft_fuzz --target=NAME -max_total_time=60 CORPUS_DIR     mutates the corpus
//   weft_fuzz --target=NAME FILE                              reads one file, to look at a finding
//   weft_fuzz --write-seeds=DIR                               makes DIR/NAME/ for every target
//   weft_fuzz --list                                          the names of the targets
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "fuzz/fuzz_targets.h"

namespace weft {
namespace {

const FuzzTarget*& chosen_target() {
  static const FuzzTarget* target = nullptr;
  return target;
}

void choose_target(std::string_view name) {
  for (const FuzzTarget& target : fuzz_targets()) {
    if (name == target.name) chosen_target() = &target;
  }
  if (chosen_target() == nullptr) {
    std::fprintf(stderr, "no target of that name: see --list\n");
    std::exit(2);
  }
}

void write_seeds(const std::filesystem::path& directory) {
  for (const FuzzTarget& target : fuzz_targets()) {
    std::filesystem::create_directories(directory / target.name);
    int i = 0;
    for (const std::string& seed : target.seeds()) {
      std::ofstream(directory / target.name / ("seed" + std::to_string(i++)), std::ios::binary)
          << seed;
    }
  }
}

void list() {
  for (const FuzzTarget& target : fuzz_targets()) std::puts(target.name.c_str());
}

}  // namespace
}  // namespace weft

// libFuzzer leaves flags with two dashes to us.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  for (int i = 1; i < *argc; ++i) {
    const std::string_view argument = (*argv)[i];
    const std::string_view value =
        argument.substr(std::min(argument.find('=') + 1, argument.size()));
    if (argument.starts_with("--target=")) weft::choose_target(value);
    if (argument.starts_with("--write-seeds=")) {
      weft::write_seeds(value);
      std::exit(0);
    }
    if (argument == "--list") {
      weft::list();
      std::exit(0);
    }
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (weft::chosen_target() == nullptr) weft::choose_target("");
  weft::accepts(*weft::chosen_target(), {reinterpret_cast<const char*>(data), size});
  return 0;
}
