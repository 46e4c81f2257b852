#include "kernels/kernel_costs.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

// x (2, 3), W (5, 3), y (2, 5): 30 products and as many sums; 6 + 15 + 10 floats.
TEST(KernelCost, OfMatrixProductsCountsMultiplicationsAndAdditions) {
  const KernelCost forward = kernel_cost::linear_forward(2, 5, 3);
  const KernelCost input = kernel_cost::linear_backward_input(2, 5, 3, false);
  const KernelCost weight = kernel_cost::linear_backward_weight(2, 5, 3);

  EXPECT_EQ(forward.flops, 60);
  EXPECT_EQ(forward.bytes, 4 * (6 + 15 + 10));
  EXPECT_EQ(input.flops, 60);
  EXPECT_EQ(input.bytes, 4 * (10 + 15 + 6));
  EXPECT_EQ(weight.flops, 60);
  EXPECT_EQ(weight.bytes, 4 * (10 + 6 + 2 * 15)) << "dW is read and written";
}

TEST(KernelCost, OfAnAccumulatingProductReadsItsResultToo) {
  EXPECT_EQ(kernel_cost::linear_backward_input(2, 5, 3, true).bytes, 4 * (10 + 15 + 2 * 6));
}

// Three tokens: 1 + 2 + 3 pairs; two channels.
TEST(KernelCost, OfAttentionSkipsTheMaskedHalf) {
  const KernelCost forward = kernel_cost::attention_forward(3, 2);
  const KernelCost backward = kernel_cost::attention_backward(3, 2);

  EXPECT_EQ(forward.flops, 6 * (4 + 4)) << "q . k and the sum of v, for each pair";
  EXPECT_EQ(forward.bytes, 4 * (4 * 6 + 3));
  EXPECT_EQ(backward.flops, 6 * 5 * 4);
  EXPECT_EQ(backward.bytes, 4 * (8 * 6 + 3));
}

TEST(KernelCost, OfADecodedTokenReadsTheWholeCache) {
  const KernelCost cost = kernel_cost::attention_cached(7, 2);

  EXPECT_EQ(cost.flops, 7 * (4 + 4));
  EXPECT_EQ(cost.bytes, 4 * (7 * 2 + 7 * 2 + 2 + 2));
}

TEST(KernelCost, OfAdamwMoves28BytesPerParameter) {
  EXPECT_EQ(kernel_cost::adamw_update(10).bytes, 280);
}

TEST(KernelCost, OfRowKernelsCountsEachOperandOnce) {
  EXPECT_EQ(kernel_cost::layernorm_forward(2, 5).bytes, 4 * (10 + 10 + 5 + 5 + 2 + 2));
  EXPECT_EQ(kernel_cost::layernorm_backward(2, 5).bytes, 4 * (10 + 10 + 2 * 10 + 3 * 5 + 2 * 2));
  EXPECT_EQ(kernel_cost::add_bias_residual(2, 5).bytes, 4 * (10 + 2 * 10 + 5))
      << "residual, y in and out, bias";
  EXPECT_EQ(kernel_cost::embedding_forward(2, 5).bytes, 4 * (10 + 10 + 10 + 2 + 2));
  EXPECT_EQ(kernel_cost::cross_entropy_forward_backward(2, 5, 8).bytes, 4 * (10 + 16 + 2 + 2))
      << "the gradient covers the padding";
}

// 100 FLOPs at 10 a second take 10 s, 20 bytes at 4 a second 5 s.
TEST(KernelCost, IsBoundByTheLongerOfArithmeticAndBytes) {
  const KernelCost cost = {100, 20};

  EXPECT_EQ(cost.least_seconds(10, 4), 10);
  EXPECT_TRUE(cost.is_compute_bound(10, 4));
  EXPECT_EQ(cost.least_seconds(50, 4), 5);
  EXPECT_FALSE(cost.is_compute_bound(50, 4));
}

}  // namespace
}  // namespace weft
