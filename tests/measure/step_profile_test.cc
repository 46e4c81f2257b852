#include "measure/step_profile.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>
#include <tuple>

#include "exec/executor.h"
#include "step/training_step.h"
#include "support/expected_flops.h"

namespace weft {
namespace {

// With and without recomputed blocks.
class FlopsByKind : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(Recompute, FlopsByKind, testing::Bool());

std::map<std::string, double> flops_of_step(const Config& config, int64_t B, int64_t T,
                                            bool recompute_blocks, int64_t& recomputed) {
  const TrainingState state(config);
  StepSettings settings;
  settings.recompute_blocks = recompute_blocks;
  settings.B = B;
  settings.T = T;
  const TrainingStep step(state, settings);
  recomputed = step.recomputed_blocks();
  return flops_by_kind(step.program(0));
}

// L=1, C=2, one token: qkv (6, 2) is 24 FLOPs; the logits of a padded vocabulary of 128, 512.
TEST(FlopsOfAStep, OfOneTokenAreTwicePerWeight) {
  int64_t recomputed = 0;
  const std::map<std::string, double> flops =
      flops_of_step({1, 1, 2, 4, 100}, 1, 1, false, recomputed);

  EXPECT_EQ(flops.at("qkv/forward"), 24);
  EXPECT_EQ(flops.at("fcproj/dW"), 32);
  EXPECT_EQ(flops.at("classifier/logits"), 512);
  EXPECT_EQ(flops.at("attention/forward"), 8);
}

// Of five blocks, those that are recomputed repeat all but the last product.
TEST_P(FlopsByKind, AreThoseOfTheShapes) {
  const Config config{5, 3, 15, 7, 31};
  int64_t recomputed = 0;

  const std::map<std::string, double> flops = flops_of_step(config, 2, 7, GetParam(), recomputed);

  EXPECT_EQ(recomputed > 0, GetParam());
  const std::map<std::string, double> expected = expected_flops(config, 2, 7, recomputed);
  ASSERT_EQ(flops.size(), expected.size());
  for (const auto& [kind, n] : expected) {
    ASSERT_TRUE(flops.contains(kind)) << kind;
    EXPECT_NEAR(flops.at(kind), n, 1e-9 * n) << kind;
  }
}

TEST(StepProfile, AddsUpTheTimeOfAKindOverRuns) {
  using std::chrono::milliseconds;
  std::byte bytes[3] = {};
  TileTable tiles;
  Program program("p", tiles);
  const auto add_op = [&](const OpName& name, size_t i, milliseconds time) {
    const TileId tile = tiles.add({name.text(), &bytes[i], 1, 1, 1});
    program.add({.name = name, .reads = {}, .writes = {tile}, .run = [time](std::byte*) {
                   std::this_thread::sleep_for(time);
                 }});
  };
  add_op({.kind = "a", .layer = 0}, 0, milliseconds(1));
  add_op({.kind = "a", .layer = 1}, 1, milliseconds(2));
  add_op({.kind = "b"}, 2, milliseconds(20));
  StepProfile profile(program);

  const auto prepared = make_executor("tasks", 2)->prepare(program);
  prepared->run(&profile);
  prepared->run(&profile);

  const std::vector<OpKindTime> kinds = profile.kinds();
  ASSERT_EQ(kinds.size(), 2u);
  EXPECT_GE(kinds[0].seconds, kinds[1].seconds) << "the longest comes first";
  // On a busy machine, sleeps can last so long that "a" takes longer than "b".
  const auto& [a, b] =
      kinds[0].kind == "a" ? std::tie(kinds[0], kinds[1]) : std::tie(kinds[1], kinds[0]);
  EXPECT_EQ(a.kind, "a");
  EXPECT_EQ(a.ops, 2);
  EXPECT_GE(a.seconds, 2 * 0.003);
  EXPECT_EQ(b.kind, "b");
  EXPECT_GE(b.seconds, 2 * 0.020);
}

}  // namespace
}  // namespace weft
