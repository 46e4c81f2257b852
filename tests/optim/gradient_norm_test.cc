#include "optim/gradient_norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "optim/adamw.h"
#include "optim/small_update.h"

namespace weft {
namespace {

const AdamW kAdamW;

double norm_of(const TiledParameters& gradients) {
  double sum = 0.;
  for (const float g : gradients.values().data) sum += double(g) * double(g);
  return std::sqrt(sum);
}

void run_norm(const SmallUpdate& parts) {
  Program program("norm", parts.tiles);
  for (size_t p = 0; p < parts.table.all().size(); ++p) parts.norm.append_partials(program, p);
  parts.norm.append_norm(program);
  parts.run(program);
}

TEST(GradientNorm, IsTheNormOfAllGradientsTogether) {
  const SmallUpdate parts{kAdamW};

  run_norm(parts);

  EXPECT_NEAR(parts.norm.norm() / norm_of(parts.dweights), 1., 1e-12);
}

TEST(GradientNorm, ScalesGradientsThatAreLongerThanTheLimit) {
  const SmallUpdate without{kAdamW}, above{kAdamW, 0.5}, below{kAdamW, 1e9};

  for (const SmallUpdate* parts : {&without, &above, &below}) run_norm(*parts);

  EXPECT_FALSE(without.norm.clips());
  EXPECT_TRUE(without.norm.scale_tile().empty());
  EXPECT_EQ(without.norm.scale(), 1.);
  EXPECT_EQ(above.norm.scale(), 0.5 / above.norm.norm());
  EXPECT_EQ(below.norm.scale(), 1.);
}

TEST(GradientNorm, OfANumberThatIsNotFiniteIsNoReasonToLeaveGradientsAlone) {
  const SmallUpdate parts{kAdamW, 1.};
  parts.dweights.values().data[3] = std::numeric_limits<float>::quiet_NaN();

  run_norm(parts);

  EXPECT_FALSE(std::isfinite(parts.norm.norm()));
  EXPECT_FALSE(std::isfinite(parts.norm.scale()));
}

// As the op of a product does it, which has one part of a tile after the other in cache.
TEST(GradientNorm, AddsTheSquaresOfATilePartByPart) {
  const SmallUpdate parts{kAdamW};
  const size_t fcprojw = parts.table.index(Tensor::fcprojw);
  const Tiled<float>& gradient = parts.dweights.at(fcprojw);
  run_norm(parts);
  const double expected = parts.norm.norm();

  for (const Range& rows : gradient.row_ranges()) {
    for (const Range& cols : gradient.col_ranges()) {
      for (const Range& part : split(cols.size(), 16)) {
        const Range within{cols.begin + part.begin, cols.begin + part.end};
        parts.norm.add_squares(fcprojw, gradient.block(rows, within), rows, within);
      }
    }
  }
  Program program("norm", parts.tiles);
  parts.norm.append_norm(program);
  parts.run(program);

  EXPECT_NEAR(parts.norm.norm() / expected, 1., 1e-12);
}

}  // namespace
}  // namespace weft
