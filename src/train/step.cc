#include "train/step.h"

#include <fmt/format.h>

#include "model/backward.h"
#include "model/forward.h"

namespace weft {
namespace {

// The layer whose forward pass is the first to read a parameter; L is the last layernorm.
constexpr int64_t kEmbeddings = -1;

int64_t first_reader(const Parameter& p, int64_t L) {
  if (is_per_layer(p.tensor)) return p.layer;
  return p.tensor == Tensor::wte || p.tensor == Tensor::wpe ? kEmbeddings : L;
}

// In the last micro-step, every gradient goes on into the norm and, without clipping, the update.
class GradientUse : public GradientSink {
 public:
  GradientUse(Program& program, const Optimizer& optimizer, bool last)
      : program_(program), optimizer_(optimizer), last_(last) {}

  Epilogue on_tile(size_t parameter) override {
    return last_ ? optimizer_.on_tile(parameter) : Epilogue();
  }

  void on_parameter(size_t parameter) override {
    if (!last_) return;
    optimizer_.append_norm_partials(program_, parameter);
    if (!optimizer_.clips()) optimizer_.append_update(program_, parameter);
  }

 private:
  Program& program_;
  const Optimizer& optimizer_;
  bool last_;
};

}  // namespace

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
      tiling_(choose_tiling(config_, settings.B, settings.T, settings.precision)),
      weights_(tiles_, "weights/", state.weights, tiling_),
      dweights_(tiles_, "dweights/", state.dweights, tiling_),
      m_(tiles_, "m/", state.m, tiling_),
      v_(tiles_, "v/", state.v, tiling_),
      activations_(arena_, tiles_, config_, tiling_,
                   settings.recompute_blocks ? Kept::kInputs : Kept::kEverything),
      gradients_(arena_, tiles_, config_, tiling_),
      optimizer_(arena_, tiles_, settings.adamw, weights_, dweights_, m_, v_) {
  const int64_t N = settings.micro_steps;
  for (int64_t k = 0; k < std::min<int64_t>(N, 3); ++k) {
    // First, middle and last of a step; a step of one micro-batch is all three at once.
    const int64_t micro_step = k == 2 ? N - 1 : k;
    const bool first = micro_step == 0, last = micro_step == N - 1;
    if (!programs_[first][last]) programs_[first][last] = build(first, last);
  }
  deferred_update_ = build_deferred_update();
  evaluation_ = std::make_unique<Program>("evaluation", tiles_);
  const StepParts parts{config_, tiling_, settings_.gemm, weights_, activations_};
  append_forward(*evaluation_, parts);
  append_loss(*evaluation_, parts, {.tokens_per_step = tiling_.n()});
}

TrainingStep::~TrainingStep() = default;

const Program& TrainingStep::program(int64_t micro_step) const {
  return *programs_[micro_step == 0][micro_step == settings_.micro_steps - 1];
}

bool TrainingStep::begin_deferred_update() {
  if (!optimizer_.has_deferred()) return false;
  optimizer_.begin_deferred();
  return true;
}

std::unique_ptr<Program> TrainingStep::build(bool first, bool last) {
  auto program = std::make_unique<Program>(
      fmt::format("step{}{}", first ? "/first" : "", last ? "/last" : ""), tiles_);
  const TrainingParts parts{
      {config_, tiling_, settings_.gemm, weights_, activations_}, dweights_, gradients_};
  const MicroStep micro{first, last, tiling_.n() * settings_.micro_steps * settings_.ranks};

  BeforeLayer updates;
  if (first && optimizer_.clips()) {
    append_deferred_updates(*program, kEmbeddings);
    append_deferred_updates(*program, 0);
    updates = [&](Program& p, int64_t layer) { append_deferred_updates(p, layer + 1); };
  }
  append_forward(*program, parts, append_attention, updates);
  append_loss_with_gradients(*program, parts, micro);
  GradientUse use(*program, optimizer_, last);
  append_backward(*program, parts, micro, use);
  if (last) optimizer_.append_norm(*program);
  return program;
}

std::unique_ptr<Program> TrainingStep::build_deferred_update() {
  auto program = std::make_unique<Program>("update", tiles_);
  for (size_t p = 0; p < optimizer_.parameters(); ++p) optimizer_.append_update(*program, p);
  return program;
}

// What layer `layer` reads: its own parameters, or those of the last layernorm for layer L.
void TrainingStep::append_deferred_updates(Program& program, int64_t layer) const {
  const std::vector<Parameter>& all = weights_.values().table->all();
  for (size_t p = 0; p < all.size(); ++p) {
    if (first_reader(all[p], config_.L) == layer) optimizer_.append_update(program, p);
  }
}

}  // namespace weft
