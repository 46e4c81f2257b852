#include "run/run_directory.h"

#include <gtest/gtest.h>

#include <string>

#include "run/trainer_fixture.h"

namespace weft {
namespace {

using nlohmann::json;

class RunDirectoryTest : public TrainerTest {};

TEST_F(RunDirectoryTest, WritesTheConfigurationThatItIsGiven) {
  TrainSettings s = settings();
  s.output.config_toml = "steps = 7\n";
  s.output.run_json = R"({"version": "1.2.3"})";
  run(s, {"tasks", 2});

  EXPECT_EQ(read_file(s.output.directory / "config.toml"), "steps = 7\n");
  const json record = records(s.output.directory, "run").at(0);
  EXPECT_EQ(record.at("version"), "1.2.3");
  EXPECT_EQ(record.at("executor"), "tasks");
  EXPECT_EQ(record.at("threads"), 2);
  EXPECT_EQ(record.at("model"), to_string(kModel));
}

TEST_F(RunDirectoryTest, RefusesADirectoryThatHoldsARun) {
  const TrainSettings s = settings();
  run(s);
  const std::string log = read_file(s.output.directory / "metrics.jsonl");

  EXPECT_TRUE(mentions(error_of_run(s), {"already holds a run", "--resume", "--out"}));
  EXPECT_EQ(read_file(s.output.directory / "metrics.jsonl"), log);
}

TEST_F(RunDirectoryTest, RefusesADirectoryInWhichARunIsAtWork) {
  const TrainSettings first = settings();
  TrainSettings second = settings();
  second.output.resume = true;
  Recorder recorder, other;
  std::string refusal;
  recorder.on_step = [&](const StepReport& step) {
    if (step.step != 3) return;
    refusal =
        error_of([&] { train(second, dataset_, *make_executor("sequential", 1), other, stop_); });
  };

  train(first, dataset_, *make_executor("sequential", 1), recorder, stop_);

  EXPECT_TRUE(mentions(refusal, {"another run is at work in", "wait until it ends", "--out"}));
  EXPECT_EQ(logged_steps(first.output.directory).size(), 7);
  EXPECT_EQ(run(second), TrainOutcome::kFinished);  // the lock went with its run
}

TEST_F(RunDirectoryTest, RefusesAnOutputThatIsAFile) {
  TrainSettings s = settings();
  s.output.directory = dir_.write("file", "x") / "run";

  EXPECT_TRUE(mentions(error_of_run(s), {"--out", "cannot create", "/file",
                                         "a file stands where a directory is meant"}));
}

}  // namespace
}  // namespace weft
