#include "optim/deferred_update.h"

#include <utility>

namespace weft {

void DeferredUpdate::begin_step(int64_t t, double lr) {
  const UpdateStep step = {.lr = lr, .coefficients = optimizer_.coefficients(t)};
  if (!defers_) {
    due_ = step;
    return;
  }
  due_ = std::exchange(waiting_, step);
}

bool DeferredUpdate::begin_waiting() {
  if (!waiting_) return false;
  due_ = std::exchange(waiting_, std::nullopt);
  return true;
}

}  // namespace weft
