#include "run/memory_estimate.h"

#include <fmt/format.h>

#include "base/memory.h"

namespace weft {

size_t run_bytes(const TrainingState& state, const TrainingStep& step) {
  const size_t all = state.arena->bytes() + step.memory_bytes();
  if (step.distribution() == nullptr) return all;
  const double optimizer_state = double(state.optimizer_state_bytes());
  return all - size_t(optimizer_state * (1. - step.distribution()->shares().state_share()));
}

void check_memory(size_t bytes, const Config& model, const char* hint,
                  const std::function<void(const std::string&)>& note) {
  const std::string warning =
      require_memory(bytes, fmt::format("training {}", to_string(model)), hint);
  if (!warning.empty()) note(warning);
}

}  // namespace weft
