#include "formats/checksum.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <memory>

#include "base/files.h"

namespace weft {

std::string checksum(std::span<const std::byte> bytes) {
  return fmt::format("{:016x}", XXH3_64bits(bytes.data(), bytes.size()));
}

std::string file_checksum(const std::filesystem::path& path) {
  // Read through a buffer, not mapped: the pages of a mapping would count as memory of the process,
  // and a training run would need the most of it while it writes a checkpoint.
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(),
                                                                       &XXH3_freeState);
  XXH3_64bits_reset(state.get());
  read_file_in_pieces(path, [&](std::span<const std::byte> piece) {
    XXH3_64bits_update(state.get(), piece.data(), piece.size());
  });
  return fmt::format("{:016x}", XXH3_64bits_digest(state.get()));
}

}  // namespace weft
