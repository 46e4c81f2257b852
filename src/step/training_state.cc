#include "step/training_state.h"

namespace weft {

TrainingState::TrainingState(const Config& config, const Optimizer& optimizer, StateMemory memory)
    : arena(std::make_unique<Arena>()), table(std::make_unique<const ParameterTable>(config)) {
  const auto buffer = [this](Arena::Pages pages) {
    return ParameterView{table.get(), arena->vector<float>(table->buffer_size(), pages)};
  };
  weights = buffer(Arena::Pages::kLarge);
  dweights = buffer(Arena::Pages::kLarge);
  const Arena::Pages pages =
      memory == StateMemory::kSparse ? Arena::Pages::kSmall : Arena::Pages::kLarge;
  for (const std::string& name : optimizer.state_names()) {
    optimizer_state.push_back({name, buffer(pages)});
  }
}

size_t TrainingState::bytes(const Config& config, const Optimizer& optimizer) {
  const size_t buffers = 2 + optimizer.state_names().size();
  return buffers * size_t(ParameterTable(config).buffer_size()) * sizeof(float);
}

size_t TrainingState::optimizer_state_bytes() const {
  size_t bytes = 0;
  for (const OptimizerTensor& tensor : optimizer_state) bytes += tensor.values.data.size_bytes();
  return bytes;
}

}  // namespace weft
