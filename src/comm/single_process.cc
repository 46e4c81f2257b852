#include "comm/single_process.h"

#include <algorithm>

#include "comm/launcher.h"

namespace weft {

SingleProcess::SingleProcess() : host_(host_name()) {}

Request SingleProcess::begin_exchange(Vector<const float> send, const std::vector<int64_t>&,
                                      Vector<float> receive, const std::vector<int64_t>&) {
  std::copy(send.begin(), send.end(), receive.begin());
  return {};
}

}  // namespace weft
