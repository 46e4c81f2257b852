#include <array>
#include <nlohmann/json.hpp>

#include "app/commands/scaling/scaling_report.h"
#include "app/commands/scaling/scaling_sweep.h"
#include "app/weft_command.h"

namespace weft {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

ScalingOptions options(std::vector<std::string> executors) {
  ScalingOptions o;
  o.model = "gpt2";
  o.workload.B = 8;
  o.workload.T = 64;
  o.ranks = {1, 2};
  o.threads = {1, 4};
  o.executors = std::move(executors);
  return o;
}

TEST(ScalingSweep, RunsEveryCombinationAndTheSequentialExecutorOnce) {
  const std::vector<ScalingPoint> points = scaling_points(options({"tasks", "sequential"}));

  EXPECT_EQ(points, (std::vector<ScalingPoint>{{"tasks", 1, 1},
                                               {"tasks", 1, 4},
                                               {"tasks", 2, 1},
                                               {"tasks", 2, 4},
                                               {"sequential", 1, 1},
                                               {"sequential", 2, 1}}));
  EXPECT_EQ(reference_of(points), 0u);
  EXPECT_EQ(reference_of({{"tasks", 2, 4}, {"tasks", 4, 1}, {"fork-join", 1, 4}}), 1u);
  EXPECT_EQ(to_string(points[2]), "tasks, 2 ranks x 1 thread");
}

std::string batch_of(const std::vector<std::string>& command) {
  return *(std::ranges::find(command, "--batch-size") + 1);
}

TEST(ScalingSweep, SharesTheBatchUnlessScalingIsWeak) {
  ScalingOptions o = options({"tasks"});
  o.launcher = "mpirun --host a,b";
  const std::vector<std::string> alone = command_of({"tasks", 1, 4}, o, "/bin/weft");
  const std::vector<std::string> shared = command_of({"tasks", 2, 4}, o, "/bin/weft");
  o.strong = false;

  EXPECT_EQ(alone.front(), "/bin/weft");
  EXPECT_EQ(batch_of(alone), "8");
  EXPECT_EQ(std::vector<std::string>(shared.begin(), shared.begin() + 7),
            (std::vector<std::string>{"mpirun", "--host", "a,b", "-n", "2", "/bin/weft", "bench"}));
  EXPECT_EQ(batch_of(shared), "4");
  EXPECT_EQ(batch_of(command_of({"tasks", 2, 4}, o, "/bin/weft")), "8");
}

// What `weft bench step` prints, as far as it counts.
ordered_json step(double ms, double tokens, double useful_ms, double parallel, double forward_ms) {
  return {{"ranks", 1},
          {"tokens_per_step", tokens},
          {"tokens_per_s", 1e3 * tokens / ms},
          {"step_ms", {{"median", ms}}},
          {"efficiency", {{"useful_ms", useful_ms}, {"parallel", parallel}}},
          {"phases", {{"forward", {{"thread_ms", forward_ms}}}}},
          {"counters", {{"not_available", "made up"}}}};
}

// Twice the tokens on two threads, in 12 ms instead of 10, with a parallel efficiency of 0.9.
TEST(ScalingReport, ComparesWithTheSmallestConfiguration) {
  std::vector<ScalingResult> results(2);
  results[0].point = {"tasks", 1, 1};
  results[0].step_ms = {9., 11., 10.};
  results[0].middle = step(10., 100., 10., 1., 4.).dump();
  results[1].point = {"tasks", 1, 2};
  results[1].step_ms = {12., 12.5, 11.};
  results[1].middle = step(12., 200., 21.6, 0.9, 10.).dump();

  const ordered_json report = scaling_json(options({"tasks"}), results);

  EXPECT_EQ(report["reference"], 0);
  const ordered_json& two = report["configurations"][1];
  EXPECT_EQ(two["step_ms"]["min"], 11.);
  EXPECT_EQ(two["step_ms"]["median"], 12.);
  EXPECT_EQ(two["step_ms"]["max"], 12.5);
  EXPECT_NEAR(two["speed_up"].get<double>(), 2. * 10. / 12., 1e-12);
  const ordered_json& e = two["efficiency"];
  EXPECT_NEAR(e["computation"].get<double>(), 20. / 21.6, 1e-12);
  EXPECT_NEAR(e["global"].get<double>(), 0.9 * 20. / 21.6, 1e-12);
  EXPECT_FALSE(e.contains("frequency"));
  // On two threads, against a reference that wastes nothing.
  EXPECT_NEAR(two["speed_up"].get<double>(), 2. * e["global"].get<double>(), 1e-12);
  EXPECT_NEAR(two["phases"]["forward"]["computation"].get<double>(), 0.8, 1e-12);
  EXPECT_EQ(report["configurations"][0]["speed_up"], 1.);
}

class ScalingCommand : public WeftCommand {
 protected:
  static CommandResult scaling(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"scaling", "--model", "L=1,NH=2,C=16,T=8,V=50"});
    return weft(arguments);
  }
};

TEST_F(ScalingCommand, MeasuresEachConfigurationInRounds) {
  const CommandResult result =
      scaling({"--exec", "sequential,tasks", "--threads", "2,1,2", "--steps", "2", "--rounds", "2",
               "--json", path("scaling.json")});

  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(mentions(result.out, {"reference: sequential, 1 rank x 1 thread", "speed-up",
                                    "load balance", "serialization", "update", "tokens/s"}));
  EXPECT_TRUE(mentions(result.err, {"round 1/2  sequential, 1 rank x 1 thread: ",
                                    "round 2/2  tasks, 1 rank x 2 threads: ", "ms a step"}));
  const json report = json::parse(read_file(path("scaling.json")));
  ASSERT_EQ(report["configurations"].size(), 3u);
  for (const json& c : report["configurations"]) {
    const json& e = c["efficiency"];
    const auto share = [&](const char* name) { return e[name].get<double>(); };
    EXPECT_EQ(c["step_ms"]["rounds"].size(), 2u);
    EXPECT_LE(c["step_ms"]["min"], c["step_ms"]["median"]);
    EXPECT_EQ(c["tokens_per_step"], 32);
    EXPECT_GT(share("parallel"), 0.);
    EXPECT_LE(share("parallel"), 1.);
    EXPECT_NEAR(share("load_balance") * share("communication"), share("parallel"), 1e-9);
    EXPECT_NEAR(share("serialization") * share("transfer"), share("communication"), 1e-9);
    EXPECT_NEAR(share("transfer"), 1., 1e-9);  // nothing is sent
    EXPECT_NEAR(share("computation") * share("parallel"), share("global"), 1e-9);
  }
}

TEST_F(ScalingCommand, RefusesWhatItCannotRunBeforeItBegins) {
  EXPECT_TRUE(is_input_error(scaling({"--threads", "1,x"}), {"--threads", "'x'"}));
  EXPECT_TRUE(is_input_error(scaling({"--ranks", "0"}), {"--ranks", "'0'"}));
  EXPECT_TRUE(is_input_error(scaling({"--threads", ""}), {"--threads", "empty"}));
  EXPECT_TRUE(is_input_error(scaling({"--exec", "taks"}), {"--exec", "did you mean tasks?"}));
  EXPECT_TRUE(is_input_error(scaling({"--json", path("none/x.json")}), {"--json", "none"}));
  EXPECT_TRUE(is_input_error(scaling({"--seq-len", "9"}), {"--seq-len"}));
}

TEST_F(ScalingCommand, RanksNeedALauncherAndABatchThatTheyCanShare) {
  const CommandResult no_launcher = scaling({"--ranks", "2", "--launcher", "no-such-mpirun -v"});
  if (no_launcher.err.find("without MPI") != std::string::npos) GTEST_SKIP() << "built without MPI";

  EXPECT_TRUE(is_input_error(no_launcher, {"no-such-mpirun", "--launcher"}));
  EXPECT_TRUE(is_input_error(scaling({"--ranks", "3", "--launcher", "env"}),
                             {"--batch-size 4", "3 ranks", "--weak"}));
}

// A launcher that starts nothing with ranks.
TEST_F(ScalingCommand, SaysWhatARunThatFailedSaid) {
  const CommandResult result = scaling({"--threads", "1", "--ranks", "2", "--launcher", "false"});
  if (result.err.find("without MPI") != std::string::npos) GTEST_SKIP() << "built without MPI";

  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(mentions(result.err, {"tasks, 2 ranks x 1 thread", "false ended with status 1"}));
}

}  // namespace
}  // namespace weft
