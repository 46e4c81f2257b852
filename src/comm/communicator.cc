#include "comm/communicator.h"

#include <fmt/format.h>

namespace weft {

std::string rank_name(const Communicator& communicator) {
  return fmt::format("rank {} on {}", communicator.rank(), communicator.host());
}

}  // namespace weft
