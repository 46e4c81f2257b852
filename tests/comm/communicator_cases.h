// What every communicator must do, however many ranks it has and whatever is behind it.
#pragma once

#include "comm/communicator.h"

namespace weft {

// Called on all ranks. Throws Error that names the first case which fails on this rank.
void check_communicator(Communicator& communicator);

}  // namespace weft
