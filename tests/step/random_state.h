// States of training for tests: every weight and moment has a random value of its own.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

#include "base/rng.h"
#include "step/training_step.h"

namespace weft {

// Matrices normal(0, 0.2), so that logits differ clearly; layernorm weights around 1. The padded
// rows of wte are zero, as in every model.
inline void fill_weights(const ParameterView& weights, uint64_t seed) {
  for (const Parameter& p : weights.table->all()) {
    const Vector<float> values = weights.vector(p);
    for (size_t i = 0; i < values.size(); ++i) {
      const uint64_t index = static_cast<uint64_t>(p.offset) + i;
      values[i] = p.init_mean + 0.2f * static_cast<float>(random_normal(seed, 0, index));
    }
  }
  const Config& config = weights.table->config();
  const Matrix<float> wte = weights.matrix(Tensor::wte);
  for (int64_t v = config.V; v < config.Vp(); ++v) {
    for (float& value : wte.row(v)) value = 0.f;
  }
}

inline TrainingState random_state(const Config& config, uint64_t seed) {
  TrainingState state(config);
  fill_weights(state.weights, seed);
  for (const OptimizerTensor& tensor : state.optimizer_state) fill_weights(tensor.values, ++seed);
  return state;
}

// Tensor by tensor, bit by bit.
inline void expect_same_bits(const ParameterView& actual, const ParameterView& expected) {
  for (const Parameter& p : expected.table->all()) {
    const Vector<float> a = actual.vector(p), e = expected.vector(p);
    EXPECT_EQ(std::memcmp(a.data(), e.data(), e.size_bytes()), 0) << p.name;
  }
}

inline void expect_same_optimizer_state(const TrainingState& actual,
                                        const TrainingState& expected) {
  for (size_t i = 0; i < expected.optimizer_state.size(); ++i) {
    expect_same_bits(actual.optimizer_state.at(i).values, expected.optimizer_state[i].values);
  }
}

}  // namespace weft
