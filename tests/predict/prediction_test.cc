#include "predict/prediction.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "exec/executor.h"
#include "timeline/timeline.h"

namespace weft {
namespace {

// The cost of an op is that of its bytes, at 1 GB/s per thread. There are no overheads.
OpCosts by_bytes() {
  OpCosts costs;
  ThreadCosts run;
  run.memory_bytes_per_s = 1e9;
  for (const std::string& name : simulated_executor_names()) run.executors[name] = {};
  costs.runs.push_back(run);
  return costs;
}

Workload small_workload() {
  Workload workload;
  workload.config = {.L = 3, .NH = 2, .C = 32, .T = 16, .V = 300};
  workload.B = 4;
  workload.T = 16;
  return workload;
}

class Predictions : public testing::Test {
 protected:
  Predictions() {
    training_.workload = small_workload();
    training_.bucket_mb = 0.02;
    training_.network = {.bytes_per_s = 1e9};
  }

  Prediction predict(const Scenario& scenario) {
    return Predictor(training_, costs_).predict(scenario);
  }

  SimulatedTraining training_;
  OpCosts costs_ = by_bytes();
};

TEST_F(Predictions, OneCoreTakesTheSumOfAllCosts) {
  double bytes = 0.;
  const SimulatedStep step(training_.workload, {}, 0, 1);
  for (const OpWork& work : step.programs().at(0).work) bytes += work.bytes;

  for (const std::string& exec : simulated_executor_names()) {
    const Prediction p = predict({1, 1, "all-reduce", exec});
    EXPECT_NEAR(p.step_s, 1e-9 * bytes, 1e-15 * bytes) << exec;
    EXPECT_NEAR(p.efficiency, 1., 1e-6) << exec;
    EXPECT_EQ(p.communication_s, 0.);
  }
}

TEST_F(Predictions, AreBoundByWorkAndByThePath) {
  const double work_s = predict({1, 1, "all-reduce", "sequential"}).step_s;
  for (const int cores : {2, 3, 8}) {
    const double tasks_s = predict({1, cores, "all-reduce", "tasks"}).step_s;
    const Prediction join = predict({1, cores, "all-reduce", "fork-join"});
    for (const double s : {tasks_s, join.step_s}) {
      EXPECT_GE(s * (1. + 1e-9), work_s / cores);
      EXPECT_GE(s * (1. + 1e-9), join.critical_path_s);
      EXPECT_LT(s, work_s);
    }
  }
  EXPECT_NEAR(predict({1, 8, "all-reduce", "sequential"}).efficiency, 1. / 8., 1e-6);
}

TEST_F(Predictions, SendWhatTheStrategiesSay) {
  const double P = double(SimulatedStep(training_.workload, {}, 0, 1).memory().weights);
  const Prediction all_reduce = predict({4, 1, "all-reduce", "tasks"});
  const Prediction sharded = predict({4, 1, "sharded", "tasks"});
  const Prediction server = predict({4, 1, "server", "tasks"});

  // 256 tokens are fewer than the 300 rows of wte, so their rows are sent instead, each with its
  // index.
  const double rows = 4. * 4 * 16 * (32 + 1) * sizeof(float);
  EXPECT_EQ(all_reduce.transferred_bytes, P + rows);
  // Gradients, weights and the partial sums of the norm.
  EXPECT_NEAR(sharded.transferred_bytes, 2 * P + rows, 0.03 * P);
  EXPECT_NEAR(all_reduce.communication_s, 3. / 4. * 1e-9 * (2 * P + rows), 1e-12 * P);
  EXPECT_NEAR(sharded.communication_s, all_reduce.communication_s, 0.03 * 1e-9 * P);
  EXPECT_NEAR(server.communication_s, 3. * 1e-9 * (2 * P + rows / 4), 0.03 * 1e-9 * P);
}

TEST_F(Predictions, KeepMomentsWhereTheUpdateIs) {
  const RankMemory all = predict({4, 1, "all-reduce", "tasks"}).memory;
  const RankMemory share = predict({4, 1, "sharded", "tasks"}).memory;

  EXPECT_EQ(all.moments, 2 * all.weights);
  EXPECT_NEAR(double(share.moments), double(all.moments) / 4, 0.1 * double(all.moments));
  EXPECT_EQ(share.weights, all.weights);
}

// All other ranks send over the link of rank 0, which determines the step time.
TEST_F(Predictions, AServerBecomesTheBottleneck) {
  training_.network.bytes_per_s = 1e6;
  const double of_3 = predict({3, 2, "server", "tasks"}).step_s;
  const double of_9 = predict({9, 2, "server", "tasks"}).step_s;
  const double ring_of_3 = predict({3, 2, "all-reduce", "tasks"}).step_s;
  const double ring_of_9 = predict({9, 2, "all-reduce", "tasks"}).step_s;

  EXPECT_NEAR(of_9 / of_3, 4., 0.4);
  EXPECT_LT(ring_of_9 / ring_of_3, 1.4);
}

TEST_F(Predictions, OverlapHidesCommunication) {
  const Prediction beside = predict({4, 2, "all-reduce", "tasks"});
  training_.overlap = false;
  const Prediction apart = predict({4, 2, "all-reduce", "tasks"});

  EXPECT_GT(beside.hidden_s, 0.);
  EXPECT_LE(beside.hidden_s, beside.communication_s);
  EXPECT_LT(apart.hidden_s, beside.hidden_s);
  EXPECT_LT(beside.step_s, apart.step_s);
  EXPECT_NEAR(apart.communication_s, beside.communication_s, 1e-9);
}

TEST_F(Predictions, RanksOfANodeShareItsCores) {
  training_.ranks_per_node = 2;
  const Prediction p = predict({2, 4, "sharded", "tasks"});

  EXPECT_EQ(p.ranks, 4);
  EXPECT_NEAR(p.tokens_per_s * p.step_s, 4. * 4 * 16, 1e-6);
}

TEST_F(Predictions, BecomeTimelinesOfTheRanksThatWerePlayed) {
  Timeline timeline;
  const Prediction p = Predictor(training_, costs_).predict({3, 2, "server", "tasks"}, &timeline);

  ASSERT_EQ(timeline.ranks.size(), 2u);
  EXPECT_EQ(timeline.ranks[0].rank, 0);
  EXPECT_EQ(timeline.ranks[1].rank, 1);
  EXPECT_EQ(timeline.ranks[0].workers, 2);
  const double whole_s = 1e-9 * double(end_ns(timeline));
  EXPECT_NEAR(whole_s, p.step_s, 1e-6);
}

// AdamW reads a gradient and reads and writes a weight and two moments: 28 bytes, seven times those
// of the weight, however the ranks share the update.
TEST(SimulatedStep, SharesTheUpdateAmongTheRanks) {
  double bytes = 0.;
  size_t moments = 0, weights = 0;
  for (int rank = 0; rank < 3; ++rank) {
    const SimulatedStep step(small_workload(), {.strategy = "sharded", .bucket_mb = 0.02}, rank, 3);
    for (const OpWork& work : step.programs().at(0).work) {
      if (work.kind == "update") bytes += work.bytes;
    }
    weights = step.memory().weights;
    moments += step.memory().moments;
  }

  EXPECT_EQ(bytes, 7. * double(weights));
  EXPECT_NEAR(double(moments), 2. * double(weights), 3.);
}

// 12 blocks of 1600 channels have 6 GB of weights and state, which are never touched.
TEST(SimulatedStep, TakesNoMemory) {
  const auto resident_kb = [] {
    std::ifstream file("/proc/self/status");
    const std::string status((std::istreambuf_iterator<char>(file)), {});
    return std::stol(status.substr(status.find("VmRSS:") + 6));
  };
  Workload workload;
  workload.config = {.L = 12, .NH = 25, .C = 1600, .T = 1024, .V = 50257};
  workload.T = 1024;
  const long before = resident_kb();
  const SimulatedStep step(workload, {.strategy = "sharded"}, 1, 8);

  EXPECT_GT(step.memory().all(), size_t{5} << 30);
  EXPECT_LT(resident_kb() - before, 512 << 10);
}

}  // namespace
}  // namespace weft
