// Checks of every kind of communicator, with any number of ranks.
#pragma once

#include "comm/communicator.h"

namespace weft {

// All ranks call it. Throws Error that names the first case that fails on this rank.
void check_communicator(Communicator& communicator);

}  // namespace weft
