// SmallTraining: a training step of odd sizes, in the variants that decide which ops it has.
#pragma once

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "base/rng.h"
#include "comm/single_process.h"
#include "exec/executor.h"
#include "kernels/bf16_backend.h"
#include "run/initialize.h"
#include "step/training_step.h"

namespace weft {

struct TrainingShape {
  std::string name;
  Config config;
  int64_t B, T;
  std::vector<std::string> ops;  // some that exist only if the shape is cut as intended
};

inline void PrintTo(const TrainingShape& shape, std::ostream* out) { *out << shape.name; }

// Odd sizes, each large in another dimension, so that each dimension is cut into several tiles in
// one of them.
inline std::vector<TrainingShape> training_shapes() {
  return {
      {"one_tile", {.L = 2, .NH = 3, .C = 15, .T = 11, .V = 31}, 3, 7, {"block1/qkv/dW[r0,c0]"}},
      {"row_tiles",
       {.L = 2, .NH = 3, .C = 12, .T = 43, .V = 300},
       26,
       41,
       {"block1/fc/forward[r1,c0]", "block1/ln1/backward[r16]", "classifier0/logits[v2]"}},
      {"classifier_chunks",
       {.L = 1, .NH = 2, .C = 6, .T = 37, .V = 31},
       29,
       37,
       {"classifier1/dX_sum[r0,c0]"}},
      {"vocabulary_groups",
       {.L = 1, .NH = 3, .C = 9, .T = 7, .V = 4200},
       3,
       7,
       {"classifier0/logits[v8]", "classifier0/dX[r0,c0,g7]"}},
      {"columns_and_heads",
       {.L = 1, .NH = 3, .C = 195, .T = 137, .V = 31},
       2,
       131,
       {"block0/qkv/forward[r0,c1]", "block0/attention/backward[b1,h2]", "block0/fc/dW[r2,c0]",
        "block0/fcproj/dW[r0,c1]", "embedding/dwpe[1]"}},
  };
}

struct TrainingVariant {
  std::string name;
  int64_t micro_steps;
  float grad_clip;
  Precision precision = Precision::kFp32;
  // Not empty: the step has the ops of a Distribution. Its single rank's transfers end at once.
  std::string strategy = {};
  bool recompute_blocks = false;
};

inline void PrintTo(const TrainingVariant& variant, std::ostream* out) { *out << variant.name; }

inline StepSettings settings_of(const TrainingShape& shape, const TrainingVariant& variant,
                                Communicator& alone) {
  StepSettings settings{.B = shape.B,
                        .T = shape.T,
                        .micro_steps = variant.micro_steps,
                        .grad_clip = variant.grad_clip,
                        .precision = variant.precision,
                        .recompute_blocks = variant.recompute_blocks};
  if (!variant.strategy.empty()) {
    settings.communicator = &alone;
    settings.distribution = {.strategy = variant.strategy, .bucket_mb = 0.01, .reproducible = true};
  }
  return settings;
}

// A model in training on random tokens. Two of the same shape and variant hold the same bits.
class SmallTraining {
 public:
  SmallTraining(const TrainingShape& shape, const TrainingVariant& variant)
      : shape_(shape), variant_(variant), state_(shape.config) {
    initialize(state_.weights, 1, *sequential_);
    // One step beforehand: biases, moments and all buffers then hold numbers that matter.
    run_step(*sequential_);
  }

  void begin_step() { step_.set_step(++steps_, 1e-2); }
  void run_step(const Executor& executor) {
    begin_step();
    for (int64_t k = 0; k < variant_.micro_steps; ++k) {
      fill_tokens();
      for (const Program* program : step_.programs(k)) executor.prepare(*program)->run();
    }
  }
  void run_deferred_update(const Executor& executor) {
    if (step_.begin_deferred_update()) executor.prepare(step_.deferred_update())->run();
  }
  void run_evaluation(const Executor& executor) {
    fill_tokens();
    executor.prepare(step_.evaluation())->run();
  }
  void fill_tokens() {
    ++batches_;
    for (const Vector<int32_t>& tokens : {step_.inputs(), step_.targets()}) {
      for (int32_t& token : tokens) {
        token = static_cast<int32_t>(random_u64(2, batches_, tokens_++) %
                                     static_cast<uint64_t>(shape_.config.V));
      }
    }
  }

  const Executor& sequential() const { return *sequential_; }
  const TrainingState& state() const { return state_; }
  const TrainingStep& step() const { return step_; }

 private:
  TrainingShape shape_;
  TrainingVariant variant_;
  std::unique_ptr<Executor> sequential_ = make_executor("sequential", 1);
  SingleProcess alone_;
  TrainingState state_;
  TrainingStep step_{state_, settings_of(shape_, variant_, alone_)};
  int64_t steps_ = 0;
  uint64_t batches_ = 0, tokens_ = 0;
};

// The program, but op `op` does not declare `tile`.
inline Program without_declaration(const Program& program, const std::string& op,
                                   const std::string& tile) {
  Program result("incomplete", program.tiles());
  const auto is_tile = [&](TileId id) { return program.tiles()[id].name == tile; };
  for (Op copy : program.ops()) {
    if (copy.name.text() == op) {
      const size_t removed =
          std::erase_if(copy.reads, is_tile) + std::erase_if(copy.writes, is_tile);
      require(removed == 1, "the op declares the tile once");
    }
    result.add(std::move(copy));
  }
  return result;
}

}  // namespace weft
