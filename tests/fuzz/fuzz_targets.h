// FuzzTarget: one reader of hostile files, and files that it accepts.
//
// A reader may accept a file or throw an Error of kind kInput. Anything else is a bug: another
// exception, an error that blames weft or the machine, a crash, an endless loop, too much memory.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

struct FuzzTarget {
  std::string name;
  // Reads the bytes as a file of its format. An Error of kind kInput passes through.
  std::function<void(std::string_view bytes)> read;
  std::function<std::vector<std::string>()> seeds;
};

// The readers below, and one for each format of a model that is one file.
std::span<const FuzzTarget> fuzz_targets();

// True if the target accepts the bytes, false if it says what is wrong with them. Other exceptions
// pass through.
bool accepts(const FuzzTarget& target, std::string_view bytes);

}  // namespace weft
