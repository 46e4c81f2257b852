#include "train/step.h"

#include <fmt/format.h>

#include "model/backward.h"
#include "model/forward.h"

namespace weft {

double flops_per_token(const ParameterTable& table, int64_t T) {
  const Config& c = table.config();
  return 6. * double(table.count()) + 6. * double(c.L) * double(c.C) * double(T);
}

TrainingState::TrainingState(const Config& config)
    : arena(std::make_unique<Arena>()), table(std::make_unique<const ParameterTable>(config)) {
  for (ParameterView* view : {&weights, &dweights, &m, &v}) {
    *view = {table.get(), arena->vector<float>(table->buffer_size())};
  }
}

TrainingStep::TrainingStep(const TrainingState& state, const StepSettings& settings)
    : settings_(settings),
      config_(state.table->config()),
      tiling_(choose_tiling(config_, settings.B, settings.T)),
      weights_(tiles_, "weights/", state.weights, tiling_),
      dweights_(tiles_, "dweights/", state.dweights, tiling_),
      m_(tiles_, "m/", state.m, tiling_),
      v_(tiles_, "v/", state.v, tiling_),
      activations_(arena_, tiles_, config_, tiling_),
      gradients_(arena_, tiles_, config_, tiling_),
      optimizer_(arena_, tiles_, settings.adamw, weights_, dweights_, m_, v_) {
  const int64_t N = settings.micro_steps;
  for (int64_t k = 0; k < std::min<int64_t>(N, 3); ++k) {
    // First, middle and last of a step; a step of one micro-batch is all three at once.
    const int64_t micro_step = k == 2 ? N - 1 : k;
    const bool first = micro_step == 0, last = micro_step == N - 1;
    if (!programs_[first][last]) programs_[first][last] = build(first, last);
  }
  evaluation_ = std::make_unique<Program>("evaluation", tiles_);
  const StepParts parts{config_, tiling_, settings_.gemm, weights_, activations_};
  append_forward(*evaluation_, parts);
  append_loss(*evaluation_, parts, {.tokens_per_step = tiling_.n()});
}

TrainingStep::~TrainingStep() = default;

const Program& TrainingStep::program(int64_t micro_step) const {
  return *programs_[micro_step == 0][micro_step == settings_.micro_steps - 1];
}

std::unique_ptr<Program> TrainingStep::build(bool first, bool last) {
  auto program = std::make_unique<Program>(
      fmt::format("step{}{}", first ? "/first" : "", last ? "/last" : ""), tiles_);
  const TrainingParts parts{
      {config_, tiling_, settings_.gemm, weights_, activations_}, dweights_, gradients_};
  const MicroStep micro{first, last, tiling_.n() * settings_.micro_steps * settings_.ranks};

  // Nothing waits for a reset but the gradient's first addition: under `tasks` they fill idle
  // cores.
  if (first) {
    for (size_t p = 0; p < optimizer_.parameters(); ++p) optimizer_.append_reset(*program, p);
  }
  append_forward(*program, parts);
  append_loss_with_gradients(*program, parts, micro);
  append_backward(*program, parts, [&](size_t parameter) {
    if (last) append_update(*program, parameter);
  });
  if (last) {
    optimizer_.append_norm(*program);
    // Clipping needs every gradient before the first update.
    if (optimizer_.clips()) {
      for (size_t p = 0; p < optimizer_.parameters(); ++p) optimizer_.append_update(*program, p);
    }
  }
  return program;
}

// A gradient is complete: its share of the norm is known, and without clipping its update can run
// beside the rest of backward.
void TrainingStep::append_update(Program& program, size_t parameter) const {
  optimizer_.append_norm_partials(program, parameter);
  if (!optimizer_.clips()) optimizer_.append_update(program, parameter);
}

}  // namespace weft
