// What `weft bench comm` found out about a network.
#pragma once

#include <filesystem>

#include "comm/transfer_times.h"

namespace weft {

// From its JSON: latency, the link's rate, and of each collective what it reached of that at the
// largest size. Throws Error (kInput) where the file is none of these.
void read_measured_network(const std::filesystem::path& path, Network& network);

}  // namespace weft
