#include "predict/op_costs.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "exec/executor.h"
#include "step/training_step.h"
#include "support/error_of.h"
#include "support/expected_flops.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

ThreadCosts costs_of(int threads) {
  ThreadCosts costs;
  costs.threads = threads;
  costs.memory_bytes_per_s = 100. * threads;
  for (const std::string& name : simulated_executor_names()) costs.executors[name] = {};
  costs.executors["fork-join"] = {1e-6, 2e-6, 0.5};
  costs.kinds = {{{"qkv/forward", 100., 50.}, 4, 2.},
                 {{"qkv/forward", 1000., 80.}, 4, 10.},
                 {{"update", 0., 40.}, 2, 1.},
                 {{"update", 0., 400.}, 2, 5.}};
  return costs;
}

TEST(OpCosts, OfAnOpThatWasMeasuredAreWhatWasMeasured) {
  const ThreadCosts costs = costs_of(1);

  EXPECT_EQ(seconds_of({"qkv/forward", 1000., 80.}, costs).seconds, 10.);
  EXPECT_EQ(seconds_of({"update", 0., 40.}, costs).seconds, 1.);
}

TEST(OpCosts, OfAnotherSizeAreInProportionToTheNearest) {
  const ThreadCosts costs = costs_of(1);

  EXPECT_DOUBLE_EQ(seconds_of({"qkv/forward", 2000., 80.}, costs).seconds, 20.);
  EXPECT_DOUBLE_EQ(seconds_of({"qkv/forward", 50., 80.}, costs).seconds, 1.);
  EXPECT_DOUBLE_EQ(seconds_of({"update", 0., 200.}, costs).seconds, 2.5);
}

TEST(OpCosts, OfAKindThatWasNotMeasuredAreThoseOfItsBytes) {
  const OpSeconds seconds = seconds_of({"exchange/place", 0., 300.}, costs_of(2));

  EXPECT_FALSE(seconds.is_measured);
  EXPECT_DOUBLE_EQ(seconds.seconds, 3.);
}

TEST(OpCosts, ForCoresAreTheNextFewerThreads) {
  OpCosts costs;
  for (const int threads : {2, 4}) costs.runs.push_back(costs_of(threads));

  EXPECT_EQ(costs.for_cores(1).threads, 2);
  EXPECT_EQ(costs.for_cores(2).threads, 2);
  EXPECT_EQ(costs.for_cores(3).threads, 2);
  EXPECT_EQ(costs.for_cores(112).threads, 4);
}

TEST(OpWork, SharesTheFlopsOfAStepAmongItsOps) {
  const Config config{2, 3, 15, 7, 300};
  const TrainingState state(config);
  StepSettings settings;
  settings.B = 2;
  settings.T = 7;
  const TrainingStep step(state, settings);

  std::map<std::string, double> sums;
  for (const OpWork& work : work_of(step.program(0))) {
    EXPECT_GT(work.bytes, 0.) << work.kind;
    if (work.flops > 0.) sums[work.kind] += work.flops;
  }

  const std::map<std::string, double> expected = expected_flops(config, 2, 7);
  ASSERT_EQ(sums.size(), expected.size());
  for (const auto& [kind, flops] : expected) EXPECT_NEAR(sums[kind], flops, 1e-9 * flops) << kind;
}

class CostsFile : public testing::Test {
 protected:
  // The error for a file in which `from` is replaced by `to`.
  std::string error_with(const std::string& from, const std::string& to) const {
    OpCosts costs{"1", "c", "cpu", "L=1", "fp32", 2, 7, {costs_of(1), costs_of(2)}};
    std::string text = to_json(costs).dump();
    const size_t at = text.find(from);
    EXPECT_NE(at, text.npos) << from;
    text.replace(at, from.size(), to);
    const auto path = directory_.write("costs.json", text);
    return error_of([&] { read_op_costs(path); });
  }

  TempDirectory directory_;
};

TEST_F(CostsFile, ReadsWhatItWrote) {
  OpCosts costs{"1", "c", "cpu", "L=1", "fp32", 2, 7, {costs_of(1), costs_of(2)}};
  const auto path = directory_.write("costs.json", to_json(costs).dump());

  const OpCosts read = read_op_costs(path);

  EXPECT_EQ(to_json(read), to_json(costs));
  EXPECT_EQ(read.runs[1].kinds[3].work, costs.runs[1].kinds[3].work);
}

TEST_F(CostsFile, RefusesWhatIsNoneOrNotInOrder) {
  EXPECT_TRUE(mentions(error_with("weft costs 1", "weft costs 9"), {"[costs]", "format"}));
  EXPECT_TRUE(mentions(error_with("\"threads\":1", "\"threads\":1.5"), {"threads"}));
  EXPECT_TRUE(mentions(error_with("\"threads\":1", "\"threads\":2"), {"order"}));
  EXPECT_TRUE(mentions(error_with("\"us\":", "\"ms\":"), {"us is missing"}));
  EXPECT_TRUE(mentions(error_with("\"bytes\":50.0", "\"bytes\":-50"), {"bytes", "not in"}));
  EXPECT_TRUE(mentions(error_with("\"bytes\":50.0", "\"bytes\":\"x\""), {"bytes", "no number"}));
  EXPECT_TRUE(mentions(error_with("\"memory_bytes_per_s\":100.0", "\"memory_bytes_per_s\":0"),
                       {"memory_bytes_per_s"}));
  EXPECT_TRUE(mentions(error_with("\"tasks\"", "\"asks\""), {"tasks is missing"}));
}

}  // namespace
}  // namespace weft
