#include "optim/deferred_update.h"

#include <gtest/gtest.h>

#include "optim/adamw.h"

namespace weft {
namespace {

const AdamW kAdamW;

TEST(DeferredUpdate, IsDueInItsOwnStepWithoutDeferral) {
  DeferredUpdate update(kAdamW, false);
  EXPECT_FALSE(update.due());

  update.begin_step(2, 0.5);

  ASSERT_TRUE(update.due());
  EXPECT_EQ(update.due()->lr, 0.5);
  EXPECT_EQ(update.due()->coefficients, kAdamW.coefficients(2));
  EXPECT_FALSE(update.begin_waiting());
}

TEST(DeferredUpdate, IsDueInTheNextStepWithDeferral) {
  DeferredUpdate update(kAdamW, true);

  update.begin_step(1, 0.5);
  EXPECT_FALSE(update.due());
  update.begin_step(2, 0.25);

  ASSERT_TRUE(update.due());
  EXPECT_EQ(update.due()->lr, 0.5);
  EXPECT_EQ(update.due()->coefficients, kAdamW.coefficients(1));
}

TEST(DeferredUpdate, IsAppliedOnceIfSomethingReadsTheWeightsBefore) {
  DeferredUpdate update(kAdamW, true);
  EXPECT_FALSE(update.begin_waiting());
  update.begin_step(1, 0.5);

  EXPECT_TRUE(update.begin_waiting());
  ASSERT_TRUE(update.due());
  EXPECT_EQ(update.due()->lr, 0.5);

  EXPECT_FALSE(update.begin_waiting());
  update.begin_step(2, 0.25);
  EXPECT_FALSE(update.due()) << "the next step has nothing to apply";
}

}  // namespace
}  // namespace weft
