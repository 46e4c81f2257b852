#include "formats/checksum.h"

#include <fmt/format.h>
#include <xxhash.h>

#include "base/files.h"

namespace weft {

std::string checksum(std::span<const std::byte> bytes) {
  return fmt::format("{:016x}", XXH3_64bits(bytes.data(), bytes.size()));
}

std::string file_checksum(const std::filesystem::path& path) {
  return checksum(MappedFile(path).bytes());
}

}  // namespace weft
