// SmallModel: parameters, memory and programs of a small model, for tests of its layers.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/rng.h"
#include "model/gpt2.h"
#include "model/layers/layer.h"
#include "model/layers/step_matrices.h"
#include "model/parameters.h"
#include "model/tiled_parameters.h"

namespace weft {

// Remembers which gradients were said to be complete, by the names of their parameters.
class RecordingSink : public GradientSink {
 public:
  explicit RecordingSink(const ParameterTable& table) : table_(table) {}

  Epilogue on_tile(size_t parameter) override {
    tiles.push_back(table_.all()[parameter].name);
    return {};
  }
  void on_parameter(size_t parameter) override {
    parameters.push_back(table_.all()[parameter].name);
  }
  bool takes_token_rows() const override { return takes_rows; }

  std::vector<std::string> tiles, parameters;
  bool takes_rows = false;

 private:
  const ParameterTable& table_;
};

// Weights and gradients of a model whose sizes are odd, cut into tiles that do not divide them.
class SmallModel {
 public:
  static constexpr int64_t kB = 2, kT = 7, kN = kB * kT;
  static constexpr Config kConfig = {.L = 2, .NH = 3, .C = 15, .T = 11, .V = 131};

  explicit SmallModel(const Config& config = kConfig)
      : config(config),
        tiling(small_tiles(config)),
        table(config),
        weights(tiles, "weights/", view(), tiling),
        dweights(tiles, "dweights/", view(), tiling),
        matrices(arena, tiles, tiling),
        sink(table) {
    uint64_t seed = 1;
    for (const Parameter& p : table.all()) {
      fill(weights.values().matrix(p).block(0, p.unpadded_rows, 0, p.cols), ++seed, 0.3);
      if (p.init_mean == 1.f) add_to_all(weights.values().vector(p), 1.f);
    }
  }

  LayerParts parts() const { return {config, tiling, GemmBackend::kAuto, weights}; }
  BackwardParts backward_parts(bool first = true) {
    return {parts(), dweights, MicroStep{.first = first, .last = true, .tokens_per_step = kN},
            sink};
  }

  // A matrix of the model's rows, normally distributed.
  Tiled<float> random_rows(const std::string& name, int64_t cols, uint64_t seed) {
    const Tiled<float> rows = matrices.whole_rows(name, cols);
    fill(rows.matrix(), seed, 1.);
    return rows;
  }

  // Appends ops, checks them and runs them front to back.
  void run(const std::function<void(const LayerOps&)>& append, int64_t layer = 0) {
    Program program("test", tiles);
    append({.program = program, .layer = layer});
    program.validate();
    std::byte* const scratch = arena.allocate_bytes(program.scratch_bytes() + 1);
    for (const Op& op : program.ops()) op.run(scratch);
  }

  static void fill(Matrix<float> x, uint64_t seed, double scale) {
    for (int64_t r = 0; r < x.rows; ++r) {
      for (int64_t c = 0; c < x.cols; ++c) {
        const auto i = static_cast<uint64_t>(r * x.cols + c);
        x.at(r, c) = static_cast<float>(scale * random_normal(seed, 0, i));
      }
    }
  }

  Config config;
  Tiling tiling;
  Arena arena;
  TileTable tiles;
  ParameterTable table;
  TiledParameters weights, dweights;
  StepMatrices matrices;
  RecordingSink sink;

 private:
  static Tiling small_tiles(const Config& config) {
    Tiling tiling = choose_tiling(config, kB, kT);
    tiling.rows = 4;
    tiling.norm_rows = 4;
    tiling.classifier_rows = 8;
    tiling.classifier_columns = 4;
    tiling.vocabulary_columns = kVocabularyPadding;
    tiling.heads = 1;
    return tiling;
  }

  ParameterView view() { return {&table, arena.vector<float>(table.buffer_size())}; }

  static void add_to_all(Vector<float> values, float x) {
    for (float& value : values) value += x;
  }
};

// The sum of x * y in double: a loss whose gradient with respect to x is y.
inline double weighted_sum(Matrix<const float> x, Matrix<const float> y) {
  double sum = 0.;
  for (int64_t r = 0; r < x.rows; ++r) {
    for (int64_t c = 0; c < x.cols; ++c) sum += double(x.at(r, c)) * double(y.at(r, c));
  }
  return sum;
}

// Compares some elements of the gradient of loss(), which is a function of x, with central
// differences.
inline void expect_gradient(const std::string& name, Matrix<float> x, Matrix<const float> gradient,
                            const std::function<double()>& loss) {
  constexpr float kStep = 1e-2f;
  constexpr double kTolerance = 5e-3;
  const int64_t elements = x.rows * x.cols;
  for (int64_t i = 0; i < elements; i += elements / 23 + 1) {
    float& value = x.at(i / x.cols, i % x.cols);
    const float before = value;
    value = before + kStep;
    const double above = loss();
    value = before - kStep;
    const double below = loss();
    value = before;
    const double expected = (above - below) / (2. * double(kStep));
    EXPECT_NEAR(gradient.at(i / x.cols, i % x.cols), expected,
                kTolerance * (1. + std::abs(expected)))
        << name << " " << i;
  }
}

}  // namespace weft
