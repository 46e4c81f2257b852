// Agreement: errors and settings that all ranks must know, so that none waits for a rank that has
// stopped.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "comm/communicator.h"

namespace weft {

// Runs `work`, which must contain no collective, on every rank. If it throws an Error on some
// ranks, all ranks throw the error of the lowest of them, marked as on_all_ranks(). The error names
// the rank unless all ranks failed with the same message.
void on_all_ranks(Communicator& communicator, const std::function<void()>& work);

// Names and values that must be equal on all ranks: "lr", "0.001".
using Facts = std::vector<std::pair<std::string, std::string>>;

// Throws Error (kInput) on all ranks if a fact differs between some rank and rank 0. The error
// names the fact, both values and both ranks.
void require_same(Communicator& communicator, const Facts& facts);

}  // namespace weft
