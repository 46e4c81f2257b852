// Writes little stories from a grammar: the built-in corpus, which may be given away freely.
#pragma once

#include <cstdint>
#include <string>

namespace weft {

// Returns at least `bytes` (and little more) of plain English stories, each a few sentences long,
// separated by blank lines. The same seed gives the same text on every machine.
std::string write_stories(int64_t bytes, uint64_t seed);

}  // namespace weft
