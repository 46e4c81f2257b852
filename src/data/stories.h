// A grammar of little stories: the built-in corpus, ours to give away.
#pragma once

#include <cstdint>
#include <string>

namespace weft {

// About `bytes` of plain English stories (never fewer), each a few sentences long, separated by a
// blank line. The same seed gives the same text on every machine.
std::string write_stories(int64_t bytes, uint64_t seed);

}  // namespace weft
