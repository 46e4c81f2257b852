#include "optim/parameter_update.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "optim/adamw.h"
#include "optim/small_update.h"
#include "support/whole_matrix_optimizer.h"

namespace weft {
namespace {

TEST(ParameterUpdate, AppliesTheStepThatIsDueAndNoOther) {
  const AdamW adamw;
  SmallUpdate parts(adamw, 0., true);
  const std::vector<float> before = parts.weights_now();

  parts.timing.begin_step(1, 0.1);
  parts.run_step();
  EXPECT_EQ(parts.weights_now(), before);

  ASSERT_TRUE(parts.timing.begin_waiting());
  parts.run_step();
  EXPECT_NE(parts.weights_now(), before);
}

TEST(ParameterUpdate, LeavesWeightsAndStateAloneIfTheNormIsNotFinite) {
  const AdamW adamw;
  SmallUpdate parts(adamw, 1.);
  const std::vector<float> before = parts.weights_now();
  parts.dweights.values().data[5] = std::numeric_limits<float>::infinity();

  parts.timing.begin_step(1, 0.1);
  parts.run_step();

  EXPECT_EQ(parts.weights_now(), before);
  for (const TiledParameters& tensor : parts.state) {
    EXPECT_EQ(std::ranges::count(tensor.values().data, 0.f), tensor.values().data.size());
  }
}

// The ways of an update: an op per tile, on the tile of the op that completes the gradient, and a
// range of elements.
TEST(ParameterUpdate, LeavesTheSameBitsInEveryWay) {
  const AdamW adamw;
  SmallUpdate by_op(adamw), on_tile(adamw), by_range(adamw);
  const size_t fcw = by_op.table.index(Tensor::fcw);
  for (SmallUpdate* parts : {&by_op, &on_tile, &by_range}) parts->timing.begin_step(1, 0.1);

  Program program("update", by_op.tiles);
  by_op.update.append(program, fcw);
  EXPECT_GT(program.ops().size(), 1u) << "the matrix is cut";
  by_op.run(program);
  const Epilogue epilogue = on_tile.update.on_tile(fcw);
  for (const Range& rows : on_tile.dweights.at(fcw).row_ranges()) {
    for (const Range& cols : on_tile.dweights.at(fcw).col_ranges()) {
      epilogue.run(on_tile.dweights.at(fcw).block(rows, cols), rows, cols);
    }
  }
  const Parameter& p = by_range.table.all()[fcw];
  for (const Range& part : split(p.size(), 1000)) {
    by_range.update.update(fcw, {p.offset + part.begin, p.offset + part.end});
  }

  EXPECT_EQ(on_tile.weights_now(), by_op.weights_now());
  EXPECT_EQ(by_range.weights_now(), by_op.weights_now());
}

TEST(ParameterUpdate, GivesAnOptimizerWholeMatricesIfItNeedsThem) {
  const WholeMatrixOptimizer rule;
  SmallUpdate parts(rule);
  parts.timing.begin_step(1, 0.1);
  EXPECT_FALSE(parts.update.updates_by_tile());

  const std::vector<float> before = parts.weights_now();
  parts.run_step();

  const Parameter& p = parts.table.get(Tensor::fcprojw);
  float largest = 0.f;
  for (const float g : parts.dweights.values().vector(p)) largest = std::max(largest, std::abs(g));
  for (int64_t i = p.offset; i < p.offset + p.size(); ++i) {
    EXPECT_FLOAT_EQ(parts.weights_now()[size_t(i)],
                    before[size_t(i)] - 0.1f * parts.dweights.values().data[size_t(i)] / largest);
    if (i > p.offset + 50) break;
  }
}

}  // namespace
}  // namespace weft
