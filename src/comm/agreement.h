// Agreement: what all ranks must know together, so that none waits for one that has given up.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "comm/communicator.h"

namespace weft {

// Runs `work` on every rank, without collectives in it. If it throws an Error on some, all throw
// the error of the first of them, marked as on_all_ranks(); it names the rank unless all ranks say
// the same.
void on_all_ranks(Communicator& communicator, const std::function<void()>& work);

// Names and values that must be equal on all ranks: "lr", "0.001".
using Facts = std::vector<std::pair<std::string, std::string>>;

// Throws Error (kInput) on all ranks if a fact of theirs differs from rank 0's: names it, with both
// values and ranks.
void require_same(Communicator& communicator, const Facts& facts);

}  // namespace weft
