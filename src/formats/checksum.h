// Checksums, to find files that were damaged after they were written.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace weft {

// XXH3-64 (seed 0) as 16 hexadecimal digits, as `xxhsum -H3` prints it. Guards against damage, not
// against an adversary.
std::string checksum(std::span<const std::byte> bytes);

// checksum of a file's bytes. Throws Error (kInput) if it cannot be read.
std::string file_checksum(const std::filesystem::path& path);

}  // namespace weft
