#include "model/architecture.h"

namespace weft {

int64_t size_of(Dim dim, const Config& config) {
  switch (dim) {
    case Dim::one:
      return 1;
    case Dim::maxT:
      return config.T;
    case Dim::Vp:
      return config.Vp();
    case Dim::C:
      return config.C;
    case Dim::C3:
      return 3 * config.C;
    case Dim::C4:
      return 4 * config.C;
  }
  return 0;
}

}  // namespace weft
