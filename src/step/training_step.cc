#include "step/training_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "model/gpt2.h"
#include "step/gradient_sinks.h"

namespace weft {
namespace {

Distribution::FirstReader first_reader_of(const TiledParameters& weights) {
  return [table = weights.values().table](size_t parameter) {
    return first_reader(table->all()[parameter], table->config());
  };
}

std::vector<TiledParameters> tiled(TileTable& tiles, const std::vector<OptimizerTensor>& tensors,
                                   const Tiling& tiling) {
  std::vector<TiledParameters> all;
  for (const OptimizerTensor& tensor : tensors) {
    all.emplace_back(tiles, tensor.name + "/", tensor.values, tiling);
  }
  return all;
}

}  // namespace

TrainingStep::TrainingStep(const TrainingState& state, const StepSettings& settings)
    : settings_(settings),
      config_(state.table->config()),
      tiling_(choose_tiling(config_, settings.B, settings.T, settings.precision)),
      weights_(tiles_, "weights/", state.weights, tiling_),
      dweights_(tiles_, "dweights/", state.dweights, tiling_),
      optimizer_state_(tiled(tiles_, state.optimizer_state, tiling_)),
      activations_(arena_, tiles_, config_, tiling_,
                   settings.recompute_blocks ? Kept::kInputs : Kept::kEverything),
      gradients_(arena_, tiles_, config_, tiling_),
      timing_(*settings_.optimizer, settings.defers_updates()),
      norm_(arena_, tiles_, dweights_, settings.grad_clip),
      update_({*settings_.optimizer, timing_, norm_, weights_, dweights_, optimizer_state_}),
      micro_steps_(settings.micro_steps) {
  if (settings.is_distributed()) {
    distribution_ = std::make_unique<Distribution>(
        settings.distribution, settings.workers(), *settings.communicator,
        Distribution::Parts{arena_, tiles_, tiling_, weights_, dweights_, norm_, update_,
                            activations_.embedding.inputs, gradients_.dencoded()});
    if (!distribution_->works()) micro_steps_ = 1;
    if (!distribution_->overlaps()) exchange_ = build_exchange();
  }
  const int64_t N = micro_steps_;
  for (int64_t k = 0; k < std::min<int64_t>(N, 3); ++k) {
    // The first, a middle and the last micro-step; they coincide in short steps.
    const int64_t micro_step = k == 2 ? N - 1 : k;
    const bool first = micro_step == 0, last = micro_step == N - 1;
    if (!programs_[first][last]) programs_[first][last] = build(first, last);
  }
  deferred_update_ = build_deferred_update();
  evaluation_ = std::make_unique<Program>("evaluation", tiles_);
  const StepParts parts{{config_, tiling_, settings_.gemm, weights_}, activations_};
  append_forward(*evaluation_, parts);
  append_loss(*evaluation_, parts, {.tokens_per_step = tiling_.n()});
}

TrainingStep::~TrainingStep() = default;

const Program& TrainingStep::program(int64_t micro_step) const {
  return *programs_[micro_step == 0][micro_step == micro_steps_ - 1];
}

std::vector<const Program*> TrainingStep::programs(int64_t micro_step) const {
  std::vector<const Program*> programs = {&program(micro_step)};
  const bool last = micro_step == micro_steps_ - 1;
  const Program* accumulation = distribution_ ? distribution_->accumulation(micro_step) : nullptr;
  if (accumulation != nullptr) programs.push_back(accumulation);
  if (last && exchange_) programs.push_back(exchange_.get());
  return programs;
}

std::unique_ptr<Program> TrainingStep::build(bool first, bool last) {
  auto program = std::make_unique<Program>(
      fmt::format("step{}{}", first ? "/first" : "", last ? "/last" : ""), tiles_);
  if (!distribution_ || distribution_->works()) {
    append_batch(*program, first, last);
  } else {
    append_all_updates(*program);
    if (!exchange_) distribution_->append_sums(*program);
  }
  if (last && distribution_ && !exchange_) distribution_->append_norm(*program);
  if (last && !distribution_) norm_.append_norm(*program);
  return program;
}

// Forward and backward of a micro-batch. The first micro-step also applies the deferred update of
// the step before, and the last one also processes the gradients.
void TrainingStep::append_batch(Program& program, bool first, bool last) {
  const TrainingParts parts{
      {{config_, tiling_, settings_.gemm, weights_}, activations_}, dweights_, gradients_};
  // In a reproducible run, each micro-batch has gradients of its own, which a SumTree adds.
  const bool overwrites = first || (distribution_ && distribution_->is_reproducible());
  const MicroStep micro{overwrites, last, tiling_.n() * settings_.workers().micro_batches()};

  ForwardHooks hooks;
  if (first && timing_.defers()) {
    append_deferred_updates(program, kEmbeddings);
    append_deferred_updates(program, 0);
    append_arrivals(program, kEmbeddings);
    hooks.before_layer = [&](Program& p, int64_t layer) {
      append_deferred_updates(p, layer + 1);
      append_arrivals(p, layer);
    };
  }
  append_forward(program, parts, hooks);
  append_loss_with_gradients(program, parts, micro);
  append_backward(program, parts, micro, *gradient_sink(program, last));
}

std::unique_ptr<GradientSink> TrainingStep::gradient_sink(Program& program, bool last) const {
  if (distribution_ && last && distribution_->overlaps()) return distribution_->sink(program);
  if (distribution_) {
    return std::make_unique<DiscardSink>(distribution_->takes_token_rows(last));
  }
  if (!last) return std::make_unique<DiscardSink>(false);
  return std::make_unique<UpdateSink>(program, norm_, update_, timing_.defers());
}

std::unique_ptr<Program> TrainingStep::build_exchange() {
  auto program = std::make_unique<Program>("exchange", tiles_);
  distribution_->append_sums(*program);
  distribution_->append_norm(*program);
  return program;
}

std::unique_ptr<Program> TrainingStep::build_deferred_update() {
  auto program = std::make_unique<Program>("update", tiles_);
  append_all_updates(*program);
  return program;
}

void TrainingStep::append_all_updates(Program& program) const {
  for (int64_t layer = kEmbeddings; layer <= config_.L; ++layer) {
    append_deferred_updates(program, layer);
  }
  for (int64_t layer = kEmbeddings; layer <= config_.L; ++layer) append_arrivals(program, layer);
}

// Appends the updates of the parameters that `layer` reads; the last layernorm counts as layer L.
void TrainingStep::append_deferred_updates(Program& program, int64_t layer) const {
  if (distribution_) {
    distribution_->append_updates(program, layer, first_reader_of(weights_));
    return;
  }
  const std::vector<Parameter>& all = weights_.values().table->all();
  for (size_t p = 0; p < all.size(); ++p) {
    if (first_reader(all[p], config_) == layer) update_.append(program, p);
  }
}

// Appends the waits for the updated weights that `layer` reads.
void TrainingStep::append_arrivals(Program& program, int64_t layer) const {
  if (distribution_) distribution_->append_arrivals(program, layer, first_reader_of(weights_));
}

}  // namespace weft
