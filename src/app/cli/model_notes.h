// Notes on a model that a command has read.
#pragma once

#include "app/cli/terminal.h"
#include "formats/model_reader.h"

namespace weft {

// Tells the user of weights that are NaN or infinite: not the input is to blame for what they lead
// to.
inline void note_non_finite(const NonFiniteWeights& found, Terminal& terminal) {
  if (found.count > 0) terminal.line("note: " + found.message());
}

}  // namespace weft
