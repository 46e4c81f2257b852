// The training step, as a map: read this first.
//
//   tokens -> embedding
//     -> L x [layernorm, attention, layernorm, MLP] -> layernorm    append_forward
//     -> logits, softmax, loss and their gradients, by chunks       append_loss_with_gradients
//     -> back through the blocks to the embedding                   append_backward
//     -> gradient norm, clipping                                    GradientNorm
//     -> update of the weights (AdamW)                              ParameterUpdate, Optimizer
//     -> the same among several ranks                               Distribution
//
// All of it is one Program: a list of ops whose meaning is to run front to back. An executor
// decides on which threads and in which order they run, and changes no bit of the result.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"
#include "comm/communicator.h"
#include "model/activations.h"
#include "model/gpt2.h"
#include "model/parameters.h"
#include "model/tiled_parameters.h"
#include "optim/deferred_update.h"
#include "optim/gradient_norm.h"
#include "optim/parameter_update.h"
#include "parallel/distribution.h"
#include "step/step_settings.h"
#include "step/training_state.h"

namespace weft {

// The programs of one optimizer step and the memory that they work in. With several micro-batches,
// a step runs one program per micro-batch: the first overwrites the gradients, the others add to
// them. With clipping, the update of a step is deferred: it stands at the head of the next step's
// first program, and weights and optimizer state are those of the step only when that has run.
class TrainingStep {
 public:
  // REQUIRES: the state outlives this.
  TrainingStep(const TrainingState& state, const StepSettings& settings);
  ~TrainingStep();

  // (B T): the token ids of a micro-batch, to be written before its program runs.
  Vector<int32_t> inputs() const { return activations_.embedding.inputs.column({0, tiling_.n()}); }
  Vector<int32_t> targets() const {
    return activations_.classifier.targets.column({0, tiling_.n()});
  }

  // Call before the first program of step t = 1, 2, .. runs; lr is the learning rate of its update.
  void set_step(int64_t t, double lr) { timing_.begin_step(t, lr); }

  // The programs of micro-step k < micro_steps() in the order in which they run, and the first of
  // them, which has the forward and backward pass.
  std::vector<const Program*> programs(int64_t micro_step) const;
  const Program& program(int64_t micro_step) const;
  // 1 on a rank that computes no batches: its part in the sums and updates.
  int64_t micro_steps() const { return micro_steps_; }

  // The deferred update as a program of its own. Run it if begin_deferred_update() returns true:
  // then an update is waiting, which happens only where updates are deferred.
  const Program& deferred_update() const { return *deferred_update_; }
  bool begin_deferred_update() { return timing_.begin_waiting(); }

  // Forward and loss of one batch, on the same memory: the mean loss over its B T tokens.
  // REQUIRES: no update is waiting.
  const Program& evaluation() const { return *evaluation_; }

  // After the last program of a step: this rank's share of the mean loss over the global batch, and
  // the norm of the gradient before clipping. With `reproducible`, the loss is that of a single
  // micro-step, to be read after each.
  double loss() const { return activations_.classifier.loss.matrix().at(0, 0); }
  double grad_norm() const { return norm_.norm(); }
  Vector<const float> losses() const {
    return activations_.classifier.losses.column({0, tiling_.n()});
  }

  // Null if StepSettings::is_distributed() is false.
  Distribution* distribution() const { return distribution_.get(); }

  // The number of blocks whose activations a micro-step computes twice.
  int64_t recomputed_blocks() const { return activations_.overwritten_blocks; }

  const TileTable& tiles() const { return tiles_; }
  size_t memory_bytes() const { return arena_.bytes(); }

 private:
  void append_batch(Program& program, bool first, bool last);
  std::unique_ptr<Program> build_exchange();
  std::unique_ptr<Program> build(bool first, bool last);
  std::unique_ptr<Program> build_deferred_update();
  std::unique_ptr<GradientSink> gradient_sink(Program& program, bool last) const;
  void append_all_updates(Program& program) const;
  void append_deferred_updates(Program& program, int64_t layer) const;
  void append_arrivals(Program& program, int64_t layer) const;

  StepSettings settings_;
  Config config_;
  Tiling tiling_;
  Arena arena_;
  TileTable tiles_;
  TiledParameters weights_, dweights_;
  std::vector<TiledParameters> optimizer_state_;
  Activations activations_;
  Gradients gradients_;
  DeferredUpdate timing_;
  GradientNorm norm_;
  ParameterUpdate update_;
  std::unique_ptr<Distribution> distribution_;
  int64_t micro_steps_;
  // Indexed by [is the first micro-step][is the last]; a run has at most three of them.
  std::array<std::array<std::unique_ptr<Program>, 2>, 2> programs_;
  std::unique_ptr<Program> evaluation_, deferred_update_;
  std::unique_ptr<Program> exchange_;  // sums of gradients that do not overlap with backward
};

}  // namespace weft
