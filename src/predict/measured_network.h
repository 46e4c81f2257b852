// Reads the results of `weft bench comm`.
#pragma once

#include <filesystem>

#include "comm/transfer_times.h"

namespace weft {

// Sets the latency, the link's rate and, for each collective in the file, the share of that rate
// that it reached at the largest size. Throws Error (kInput) if the file is no such result.
void read_measured_network(const std::filesystem::path& path, Network& network);

}  // namespace weft
