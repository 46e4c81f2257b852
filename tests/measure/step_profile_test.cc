#include "measure/step_profile.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <tuple>

#include "exec/executor.h"
#include "step/training_step.h"

namespace weft {
namespace {

// L=1, C=2, one token: qkv (6, 2) is 24 FLOPs; the logits of a padded vocabulary of 128, 512.
TEST(StepFlops, OfOneTokenAreTwicePerWeight) {
  const std::map<std::string, double> flops = step_flops({1, 1, 2, 4, 100}, 1, 1);

  EXPECT_EQ(flops.at("qkv/forward"), 24);
  EXPECT_EQ(flops.at("fcproj/dW"), 32);
  EXPECT_EQ(flops.at("classifier/logits"), 512);
  EXPECT_EQ(flops.at("attention/forward"), 8);
}

// Of five blocks the first three; the last product of a block is not repeated.
TEST(StepFlops, OfRecomputedBlocksAreOfKindsOfTheirOwn) {
  const Config config{5, 3, 15, 7, 31};
  const std::map<std::string, double> plain = step_flops(config, 2, 7),
                                      recomputed = step_flops(config, 2, 7, 3);

  EXPECT_EQ(recomputed.at("qkv/forward"), plain.at("qkv/forward"));
  EXPECT_DOUBLE_EQ(recomputed.at("again/qkv/forward"), plain.at("qkv/forward") * 3 / 5);
  EXPECT_FALSE(recomputed.contains("again/fcproj/forward"));
  EXPECT_EQ(recomputed.size(), plain.size() + 4);
}

// A renamed op would silently lose its FLOP/s.
class StepKinds : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(Recompute, StepKinds, testing::Bool());

TEST_P(StepKinds, AreWhatStepFlopsName) {
  const Config config{5, 3, 15, 7, 31};
  const TrainingState state(config);
  StepSettings settings;
  settings.recompute_blocks = GetParam();
  settings.B = 2;
  settings.T = 7;
  const TrainingStep step(state, settings);
  std::set<std::string> kinds;
  for (const Op& op : step.program(0).ops()) kinds.insert(op.name.kind);

  for (const auto& [kind, flops] : step_flops(config, 2, 7, step.recomputed_blocks())) {
    EXPECT_TRUE(kinds.contains(kind)) << kind;
    EXPECT_GT(flops, 0.) << kind;
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
