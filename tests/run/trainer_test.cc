#include "run/trainer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "formats/hf_model.h"
#include "optim/adamw.h"
#include "step/random_state.h"
#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// B T = 287 token rows are two row tiles, and V is three blocks of logits.
constexpr Config kModel = {.L = 2, .NH = 3, .C = 15, .T = 53, .V = 257};
constexpr int64_t kB = 7, kT = 41;

// Ninety lines that repeat each other: 107 samples of training text.
std::string repetitive_text() {
  std::string text;
  for (int i = 0; i < 90; ++i) {
    text += "The shuttle carries thread number " + std::to_string(i % 10) + " through the warp.\n";
  }
  return text;
}

Dataset text_dataset(const std::string& text = repetitive_text()) {
  const TempDirectory dir;
  return open_dataset({dir.write("text.txt", text)}, {}, nullptr);
}

struct Parallelism {
  const char* executor;
  int threads;
};

std::ostream& operator<<(std::ostream& out, const Parallelism& p) {
  return out << p.executor << " " << p.threads;
}

// Keeps what it is told. on_step is called after each step.
class Recorder : public TrainListener {
 public:
  void started(const RunReport& run) override { reports.push_back(run); }
  void stepped(const StepReport& step) override {
    steps.push_back(step);
    if (on_step) on_step(step);
  }
  void validated(int64_t step, double loss) override { validations.emplace_back(step, loss); }
  void sampled(int64_t step, const std::string& text) override { samples.emplace_back(step, text); }
  void saved(int64_t step, const fs::path& path) override { saves.emplace_back(step, path); }
  void noted(const std::string& message) override { notes += message + "\n"; }

  std::function<void(const StepReport&)> on_step;
  std::vector<RunReport> reports;
  std::vector<StepReport> steps;
  std::vector<std::pair<int64_t, double>> validations;
  std::vector<std::pair<int64_t, std::string>> samples;
  std::vector<std::pair<int64_t, fs::path>> saves;
  std::string notes;
};

// loss, lr, gradient norm and tokens of a step, bit by bit.
using StepBits = std::tuple<uint64_t, uint64_t, uint64_t, int64_t>;

StepBits bits_of(double loss, double lr, double grad_norm, int64_t tokens) {
  return {std::bit_cast<uint64_t>(loss), std::bit_cast<uint64_t>(lr),
          std::bit_cast<uint64_t>(grad_norm), tokens};
}

class TrainerTest : public testing::Test {
 protected:
  // Seven steps into <directory>/<name>.
  TrainSettings settings(const std::string& name = "run") const {
    TrainSettings s;
    s.model = kModel;
    s.out = dir_ / name;
    s.B = kB;
    s.T = kT;
    s.steps = 7;
    s.schedule = {.lr = 3e-3, .warmup = 2};
    return s;
  }

  TrainOutcome run(const TrainSettings& s, const Parallelism& p = {"sequential", 1}) {
    recorder_ = Recorder();
    recorder_.on_step = [this](const StepReport& step) {
      if (step.step == stop_after_) stop_ = 1;
      if (step.step == fail_after_) throw std::runtime_error("the machine is gone");
    };
    stop_ = 0;
    return train(s, dataset_, *make_executor(p.executor, p.threads), recorder_, stop_);
  }

  // A run that stops after `steps` steps, or loses its machine there.
  void run_and_stop(TrainSettings s, int64_t steps, const Parallelism& p = {"sequential", 1}) {
    stop_after_ = steps;
    EXPECT_EQ(run(s, p), TrainOutcome::kStopped);
    stop_after_ = 0;
  }
  void run_and_lose_the_machine(TrainSettings s, int64_t steps) {
    fail_after_ = steps;
    EXPECT_THROW(run(s), std::runtime_error);
    fail_after_ = 0;
  }

  std::string error_of_run(const TrainSettings& s) {
    return error_of([&] { run(s); });
  }

  std::vector<json> records(const fs::path& out, const std::string& kind) const {
    std::istringstream lines(read_file(out / "metrics.jsonl"));
    std::vector<json> found;
    for (std::string line; std::getline(lines, line);) {
      json record = json::parse(line);
      if (record.at("kind") == kind) found.push_back(std::move(record));
    }
    return found;
  }

  // The steps in the log, each of which must be there once.
  std::map<int64_t, StepBits> logged_steps(const fs::path& out) const {
    std::map<int64_t, StepBits> steps;
    for (const json& r : records(out, "train")) {
      const bool is_new = steps
                              .emplace(r.at("step"), bits_of(r.at("loss"), r.at("lr"),
                                                             r.at("grad_norm"), r.at("tokens")))
                              .second;
      EXPECT_TRUE(is_new) << "step " << r.at("step") << " is there twice";
    }
    return steps;
  }

  // Two runs that ended after the same steps left the same files and logged the same numbers.
  void expect_same_bits(const fs::path& actual, const fs::path& expected, int steps = 7) const {
    for (const char* file : {"model.safetensors", "optimizer.safetensors"}) {
      const fs::path path = fs::path("checkpoints/step_0000000" + std::to_string(steps)) / file;
      EXPECT_TRUE(read_file(actual / path) == read_file(expected / path)) << file << " differs";
    }
    EXPECT_EQ(logged_steps(actual), logged_steps(expected));
    EXPECT_EQ(logged_steps(actual).size(), size_t(steps));
  }

  TempDirectory dir_;
  Dataset dataset_ = text_dataset();
  Recorder recorder_;
  std::atomic<int> stop_ = 0;
  int64_t stop_after_ = 0, fail_after_ = 0;
};

TEST_F(TrainerTest, LearnsARepetitiveText) {
  TrainSettings s = settings();
  s.model.C = 48;
  s.steps = 160;
  s.schedule.lr = 2e-2;

  EXPECT_EQ(run(s, {"tasks", 2}), TrainOutcome::kFinished);

  // At first every id is as likely as any other. Letter frequencies alone would bring the loss to
  // 2.8, the entropy of this text's bytes: what is below has been learned from the letters before.
  EXPECT_NEAR(recorder_.steps.front().loss, std::log(257.), 0.1);
  EXPECT_LT(recorder_.steps.back().loss, 1.8);
  ASSERT_EQ(recorder_.validations.size(), 1u);
  EXPECT_LT(recorder_.validations.back().second, 1.8);
}

TEST_F(TrainerTest, EveryExecutorAndThreadCountLeavesTheSameBits) {
  for (const int64_t micro_steps : {1, 4}) {
    const std::string suffix = "_" + std::to_string(micro_steps);
    TrainSettings reference = settings("reference" + suffix);
    reference.steps = 3;
    reference.total_batch_tokens = micro_steps * kB * kT;
    run(reference);

    for (const Parallelism& p : {Parallelism{"sequential", 1},
                                 {"fork-join", 1},
                                 {"fork-join", 2},
                                 {"fork-join", 3},
                                 {"fork-join", 7},
                                 {"tasks", 1},
                                 {"tasks", 2},
                                 {"tasks", 3},
                                 {"tasks", 7}}) {
      SCOPED_TRACE(testing::Message() << p << ", micro-steps " << micro_steps);
      TrainSettings s = reference;
      s.out = dir_ / (p.executor + std::to_string(p.threads) + suffix);

      EXPECT_EQ(run(s, p), TrainOutcome::kFinished);

      expect_same_bits(s.out, reference.out, 3);
    }
  }
}

TEST_F(TrainerTest, RecomputingBlocksLeavesTheSameFiles) {
  for (const int64_t micro_steps : {1, 3}) {
    for (const double grad_clip : {0., 0.5}) {
      const std::string suffix = fmt::format("_{}_{}", micro_steps, grad_clip);
      TrainSettings reference = settings("reference" + suffix);
      reference.model.L = 5;
      reference.steps = 3;
      reference.total_batch_tokens = micro_steps * kB * kT;
      reference.grad_clip = grad_clip;
      run(reference);
      const size_t bytes = recorder_.reports.at(0).memory_bytes;

      for (const Parallelism& p : {Parallelism{"sequential", 1}, {"fork-join", 3}, {"tasks", 3}}) {
        SCOPED_TRACE(testing::Message() << p << suffix);
        TrainSettings s = reference;
        s.out = dir_ / (p.executor + suffix);
        s.recompute_blocks = true;

        run(s, p);

        expect_same_bits(s.out, reference.out, 3);
        EXPECT_LT(recorder_.reports.at(0).memory_bytes, bytes);
      }
    }
  }
}

// A step is one batch of sequences, however they are cut into micro-batches: the same gradient up
// to the rounding of its sum, and so the same first losses.
TEST_F(TrainerTest, AccumulationComputesTheStepOfTheWholeBatch) {
  TrainSettings whole = settings("whole"), parts = settings("parts");
  whole.B = 4 * kB;
  parts.total_batch_tokens = 4 * kB * kT;
  run(whole);
  const std::vector<StepReport> expected = recorder_.steps;

  run(parts);

  for (size_t i = 0; i < 7; ++i) {
    // Sums of 1148 losses and gradients of order one in float: a few eps, growing over seven steps.
    EXPECT_NEAR(recorder_.steps[i].loss, expected[i].loss, 1e-4) << i;
    EXPECT_NEAR(recorder_.steps[i].grad_norm, expected[i].grad_norm, 1e-3 * expected[i].grad_norm)
        << i;
  }
}

TEST_F(TrainerTest, AStoppedRunContinuesToTheSameBits) {
  TrainSettings s = settings();
  run(settings("reference"));

  run_and_stop(s, 3, {"tasks", 3});
  EXPECT_EQ(recorder_.saves.back(), std::pair(int64_t{3}, s.out / "checkpoints/step_00000003"));
  s.resume = true;
  EXPECT_EQ(run(s, {"fork-join", 2}), TrainOutcome::kFinished);

  EXPECT_EQ(recorder_.reports.at(0).first_step, 4);
  EXPECT_TRUE(mentions(recorder_.notes, {"resumed from", "step_00000003"}));
  EXPECT_FALSE(mentions(recorder_.notes, {"changed"}));
  expect_same_bits(s.out, dir_ / "reference");
}

TEST_F(TrainerTest, AStoppedRunWithAccumulationContinuesToTheSameBits) {
  TrainSettings reference = settings("reference"), s = settings();
  reference.total_batch_tokens = s.total_batch_tokens = 3 * kB * kT;
  run(reference);

  run_and_stop(s, 4);
  s.resume = true;
  run(s, {"tasks", 2});

  expect_same_bits(s.out, reference.out);
}

TEST_F(TrainerTest, AStoppedRunContinuesToTheSameBitsWhetherItRecomputesOrNot) {
  TrainSettings reference = settings("reference");
  reference.model.L = 5;
  run(reference);

  for (const bool before : {false, true}) {
    TrainSettings s = reference;
    s.out = dir_ / (before ? "recompute_first" : "recompute_later");
    s.recompute_blocks = before;
    run_and_stop(s, 3);
    s.resume = true;
    s.recompute_blocks = !before;
    run(s);

    EXPECT_FALSE(mentions(recorder_.notes, {"changed"}));
    expect_same_bits(s.out, reference.out);
  }
}

TEST_F(TrainerTest, ARunThatLostItsMachineContinuesFromItsLastCheckpoint) {
  TrainSettings s = settings();
  s.checkpoint_every = 2;
  run(settings("reference"));

  run_and_lose_the_machine(s, 5);
  EXPECT_EQ(logged_steps(s.out).size(), 5u);
  fs::create_directories(s.out / "checkpoints/.unfinished_step_00000006");
  s.resume = true;
  run(s, {"tasks", 2});

  EXPECT_EQ(recorder_.reports.at(0).first_step, 5);
  EXPECT_FALSE(fs::exists(s.out / "checkpoints/.unfinished_step_00000006"));
  expect_same_bits(s.out, dir_ / "reference");
}

TEST_F(TrainerTest, ADamagedCheckpointIsSkippedForTheOneBefore) {
  TrainSettings s = settings();
  s.checkpoint_every = 2;
  run(settings("reference"));
  run_and_stop(s, 6);
  const fs::path damaged = s.out / "checkpoints/step_00000006/optimizer.safetensors";
  fs::resize_file(damaged, fs::file_size(damaged) - 4);

  s.resume = true;
  run(s, {"tasks", 2});

  EXPECT_EQ(recorder_.reports.at(0).first_step, 5);
  EXPECT_TRUE(mentions(recorder_.notes, {"skipped", "step_00000006", "optimizer.safetensors",
                                         "resumed from", "step_00000004"}));
  expect_same_bits(s.out, dir_ / "reference");
}

TEST_F(TrainerTest, ResumeStartsAfreshWhereNoCheckpointIsGood) {
  TrainSettings s = settings();
  run(settings("reference"));
  run_and_stop(s, 2);
  fs::remove(s.out / "checkpoints/step_00000002/state.json");

  s.resume = true;
  run(s);

  EXPECT_EQ(recorder_.reports.at(0).first_step, 1);
  expect_same_bits(s.out, dir_ / "reference");
}

TEST_F(TrainerTest, ResumingAFinishedRunChangesNothing) {
  TrainSettings s = settings();
  run(s);
  const std::map<int64_t, StepBits> before = logged_steps(s.out);

  s.resume = true;
  EXPECT_EQ(run(s), TrainOutcome::kFinished);

  EXPECT_TRUE(recorder_.steps.empty());
  EXPECT_EQ(logged_steps(s.out), before);
}

TEST_F(TrainerTest, LogsWhatItReportsToTheSameBits) {
  const TrainSettings s = settings();
  run(s);

  std::map<int64_t, StepBits> reported;
  for (const StepReport& r : recorder_.steps) {
    reported[r.step] = bits_of(r.loss, r.lr, r.grad_norm, r.tokens);
  }
  EXPECT_EQ(logged_steps(s.out), reported);
  EXPECT_EQ(reported.size(), 7u);
}

TEST_F(TrainerTest, CountsTokensAndFollowsTheSchedule) {
  TrainSettings s = settings();
  s.total_batch_tokens = 2 * kB * kT;
  run(s);

  Schedule schedule = s.schedule;
  schedule.steps = 7;
  ASSERT_EQ(recorder_.steps.size(), 7u);
  for (int64_t i = 0; i < 7; ++i) {
    const StepReport& r = recorder_.steps[size_t(i)];
    EXPECT_EQ(r.step, i + 1);
    EXPECT_EQ(r.steps, 7);
    EXPECT_EQ(r.lr, schedule.at(i));
    EXPECT_EQ(r.tokens, (i + 1) * 2 * kB * kT);
  }
}

TEST_F(TrainerTest, TimeGoesOnWhereTheRunStopped) {
  TrainSettings s = settings();
  run_and_stop(s, 3);
  const double before = recorder_.steps.back().elapsed_s;

  s.resume = true;
  run(s);

  EXPECT_GT(before, 0.);
  EXPECT_GT(recorder_.steps.front().elapsed_s, before);
}

TEST_F(TrainerTest, ReportsTheSizeOfTheRun) {
  TrainSettings s = settings();
  s.total_batch_tokens = 4 * kB * kT;
  run(s);

  const RunReport& r = recorder_.reports.at(0);
  EXPECT_EQ(r.parameters, ParameterTable(kModel).count());
  EXPECT_EQ(r.first_step, 1);
  EXPECT_EQ(r.steps, 7);
  EXPECT_EQ(r.micro_steps, 4);
  EXPECT_EQ(r.tokens_per_step, 4 * kB * kT);
  EXPECT_EQ(r.steps_per_epoch, (dataset_.train.samples(kT) + 4 * kB - 1) / (4 * kB));
  EXPECT_EQ(r.train_tokens, dataset_.train.tokens());
  EXPECT_EQ(r.val_tokens, dataset_.val->tokens());
  EXPECT_GT(r.memory_bytes, size_t(4 * 4 * r.parameters));  // weights, gradients and moments
}

TEST_F(TrainerTest, StepsFollowFromEpochs) {
  TrainSettings s = settings();
  s.steps = 0;
  s.epochs = 0.25;
  run(s);

  const double samples = double(dataset_.train.samples(kT));
  EXPECT_EQ(std::ssize(recorder_.steps), std::llround(0.25 * samples / double(kB)));
}

// llm.c's convention, 6 N + 6 L C T FLOPs per token.
TEST_F(TrainerTest, UtilizationIsThatOfLlmc) {
  TrainSettings s = settings();
  s.steps = 1;
  s.peak_flops = 1e12;
  run(s);

  const StepReport& r = recorder_.steps.at(0);
  const double flops = 6. * double(ParameterTable(kModel).count()) + 6. * 2 * 15 * double(kT);
  EXPECT_DOUBLE_EQ(r.mfu, r.tokens_per_s * flops / 1e12);
}

TEST_F(TrainerTest, ValidatesSamplesAndSavesWhenTheyAreDue) {
  TrainSettings s = settings();
  s.val_every = 3;
  s.sample_every = 4;
  s.checkpoint_every = 2;
  run(s);

  const auto steps_of = [](const auto& events) {
    std::vector<int64_t> steps;
    for (const auto& event : events) steps.push_back(event.first);
    return steps;
  };
  EXPECT_EQ(steps_of(recorder_.validations), (std::vector<int64_t>{3, 6, 7}));
  EXPECT_EQ(steps_of(recorder_.samples), (std::vector<int64_t>{4}));
  EXPECT_EQ(steps_of(recorder_.saves), (std::vector<int64_t>{2, 4, 6, 7}));
  const std::vector<json> logged = records(s.out, "val");
  ASSERT_EQ(logged.size(), 3u);
  EXPECT_EQ(logged[0].at("loss").get<double>(), recorder_.validations[0].second);
  EXPECT_EQ(records(s.out, "sample").at(0).at("text"), recorder_.samples[0].second);
  EXPECT_EQ(records(s.out, "checkpoint").size(), 4u);
}

// Looking at a run does not change it.
TEST_F(TrainerTest, ValidationAndSamplesLeaveTheBitsAlone) {
  TrainSettings s = settings();
  s.val_every = s.sample_every = s.checkpoint_every = 1;
  run(settings("reference"));

  run(s);

  expect_same_bits(s.out, dir_ / "reference");
}

TEST_F(TrainerTest, SamplesAModelWithMoreTokensThanItsTokenizer) {
  TrainSettings s = settings();
  s.model.V = 1031;  // untrained, it draws an id above 256 three times out of four
  s.steps = s.sample_every = 1;

  EXPECT_EQ(run(s), TrainOutcome::kFinished);
  EXPECT_EQ(recorder_.samples.size(), 1u);
}

TEST_F(TrainerTest, WritesTheConfigurationThatItIsGiven) {
  TrainSettings s = settings();
  s.config_toml = "steps = 7\n";
  s.run_json = R"({"version": "1.2.3"})";
  run(s, {"tasks", 2});

  EXPECT_EQ(read_file(s.out / "config.toml"), "steps = 7\n");
  const json record = records(s.out, "run").at(0);
  EXPECT_EQ(record.at("version"), "1.2.3");
  EXPECT_EQ(record.at("executor"), "tasks");
  EXPECT_EQ(record.at("threads"), 2);
  EXPECT_EQ(record.at("model"), to_string(kModel));
}

TEST_F(TrainerTest, StartsFromTheWeightsThatItIsGiven) {
  run(settings("first"));
  TrainSettings s = settings("second");
  s.init = dir_ / "first";
  s.steps = 1;
  s.schedule.lr = 0.;

  run(s);

  EXPECT_TRUE(read_file(s.out / "checkpoints/step_00000001/model.safetensors") ==
              read_file(dir_ / "first/checkpoints/step_00000007/model.safetensors"));
}

class Tracer : public StepTracer {
 public:
  Observer* program_starts(int64_t step, const Program&) override {
    steps.push_back(step);
    return nullptr;
  }
  std::vector<int64_t> steps;
};

TEST_F(TrainerTest, TellsTheTracerOfEveryProgram) {
  TrainSettings s = settings();
  s.steps = 2;
  s.total_batch_tokens = 3 * kB * kT;
  Tracer tracer;

  train(s, dataset_, *make_executor("sequential", 1), recorder_, stop_, &tracer);

  // The last is the update that no further step takes on.
  EXPECT_EQ(tracer.steps, (std::vector<int64_t>{1, 1, 1, 2, 2, 2, 2}));
}

// The step that diverges is not saved; the error says which it is and where to go back to.
TEST_F(TrainerTest, StopsWhenTheLossIsNotFinite) {
  TrainSettings s = settings();
  s.schedule = {.kind = ScheduleKind::kConstant, .lr = 1e30};
  s.checkpoint_every = 1;

  const std::string error = error_of_run(s);

  EXPECT_TRUE(mentions(error, {"[train] step 2: loss", "step_00000001", "lower --lr"}));
  EXPECT_TRUE(fs::exists(s.out / "checkpoints/step_00000001"));
  EXPECT_FALSE(fs::exists(s.out / "checkpoints/step_00000002"));
  EXPECT_EQ(logged_steps(s.out).size(), 1u);
}

TEST_F(TrainerTest, StopsAtOnceWhereTheInitialWeightsAreBroken) {
  TrainingState state = random_state(kModel, 1);
  for (float& value : state.weights.vector(Tensor::fcw, 1)) {
    value = std::numeric_limits<float>::quiet_NaN();
  }
  write_hf_model(dir_ / "init", state.weights, 256);
  TrainSettings s = settings();
  s.init = dir_ / "init";
  s.checkpoint_every = 1;

  for (const float grad_clip : {1.f, 0.f}) {
    s.grad_clip = grad_clip;
    s.out = dir_ / ("clip" + std::to_string(grad_clip));

    EXPECT_TRUE(mentions(error_of_run(s), {"[train] step 1: loss nan", "no checkpoint yet"}));
    EXPECT_FALSE(fs::exists(s.out / "checkpoints"));
  }
}

// What is wrong with the settings is said before anything is written.
TEST_F(TrainerTest, RefusesSettingsThatDoNotFitTogether) {
  const auto expect_refused = [&](const TrainSettings& s,
                                  std::initializer_list<std::string_view> message) {
    try {
      run(s);
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_TRUE(mentions(error.what(), message));
    }
    EXPECT_FALSE(fs::exists(s.out));
  };
  TrainSettings s = settings();

  s.total_batch_tokens = 2 * kB * kT + 1;
  expect_refused(s, {"--total-batch-tokens 575", "7 x 41 x 1 = 287", "use 861"});
  s.total_batch_tokens = 1;
  expect_refused(s, {"--total-batch-tokens 1", "use 287"});

  s = settings();
  s.T = 54;
  expect_refused(s, {"--seq-len 54 is not in [1, 53]"});
  s.T = 0;
  expect_refused(s, {"--seq-len 0"});

  s = settings();
  s.B = 0;
  expect_refused(s, {"--batch-size"});

  s = settings();
  s.model.C = 16;
  expect_refused(s, {"C=16 is not divisible by NH=3"});

  s = settings();
  s.model.V = 100;
  expect_refused(s, {"token id 119, and V is 100"});
}

TEST_F(TrainerTest, RefusesDataThatIsTooShort) {
  dataset_ = text_dataset("much too short");

  EXPECT_TRUE(mentions(error_of_run(settings()), {"too few", "--seq-len"}));
}

TEST_F(TrainerTest, RefusesADirectoryThatHoldsARun) {
  const TrainSettings s = settings();
  run(s);
  const std::string log = read_file(s.out / "metrics.jsonl");

  EXPECT_TRUE(mentions(error_of_run(s), {"already holds a run", "--resume", "--out"}));
  EXPECT_EQ(read_file(s.out / "metrics.jsonl"), log);
}

TEST_F(TrainerTest, RefusesADirectoryInWhichARunIsAtWork) {
  const TrainSettings first = settings();
  TrainSettings second = settings();
  second.resume = true;
  Recorder recorder, other;
  std::string refusal;
  recorder.on_step = [&](const StepReport& step) {
    if (step.step != 3) return;
    refusal =
        error_of([&] { train(second, dataset_, *make_executor("sequential", 1), other, stop_); });
  };

  train(first, dataset_, *make_executor("sequential", 1), recorder, stop_);

  EXPECT_TRUE(mentions(refusal, {"another run is at work in", "wait until it ends", "--out"}));
  EXPECT_EQ(logged_steps(first.out).size(), 7);
  EXPECT_EQ(run(second), TrainOutcome::kFinished);  // the lock went with its run
}

TEST_F(TrainerTest, RefusesAnOutputThatIsAFile) {
  TrainSettings s = settings();
  s.out = dir_.write("file", "x") / "run";

  EXPECT_TRUE(mentions(error_of_run(s), {"--out", "cannot create", "/file",
                                         "a file stands where a directory is meant"}));
}

class ResumeTest : public TrainerTest {
 protected:
  void SetUp() override {
    run_and_stop(settings(), 2);
    log_ = read_file(settings().out / "metrics.jsonl");
  }

  TrainSettings resumed() const {
    TrainSettings s = settings();
    s.resume = true;
    return s;
  }

  void expect_refused(const TrainSettings& s, std::initializer_list<std::string_view> message) {
    EXPECT_TRUE(mentions(error_of_run(s), message));
    EXPECT_EQ(read_file(s.out / "metrics.jsonl"), log_);
  }

  std::string log_;
};

TEST_F(ResumeTest, RefusesAnotherOrderOfTheData) {
  TrainSettings s = resumed();
  s.seed = 43;
  expect_refused(s, {"--seed 42, now 43"});

  s = resumed();
  s.shuffle = false;
  expect_refused(s, {"--shuffle true, now false"});

  s = resumed();
  s.T = kT - 1;
  expect_refused(s, {"--seq-len 41, now 40"});

  s = resumed();
  s.total_batch_tokens = 2 * kB * kT;
  expect_refused(s, {"sequences per step 7, now 14"});
}

TEST_F(ResumeTest, RefusesOtherData) {
  std::string text = repetitive_text();
  text[10] = 'X';
  dataset_ = text_dataset(text);

  expect_refused(resumed(), {"data with fingerprint"});
}

TEST_F(ResumeTest, RefusesAnEndThatIsBehindIt) {
  TrainSettings s = resumed();
  s.steps = 1;

  expect_refused(s, {"has done 2 steps", "end after 1", "--steps"});
}

TEST_F(ResumeTest, RefusesAnotherModel) {
  TrainSettings s = resumed();
  s.model.L = 1;

  expect_refused(s, {to_string(kModel), to_string(s.model)});
}

TEST_F(ResumeTest, NotesAnotherCourseOfTheRun) {
  TrainSettings s = resumed();
  s.schedule.lr = 1e-3;
  s.optimizer = std::make_shared<AdamW>(AdamWSettings{.weight_decay = 0.2f});
  s.steps = 8;

  EXPECT_EQ(run(s), TrainOutcome::kFinished);

  EXPECT_TRUE(
      mentions(recorder_.notes, {"schedule changed from", "lr 0.003", "lr 0.001", "steps 8",
                                 "optimizer changed from", "decay 0.2", "not bit for bit"}));
  EXPECT_EQ(logged_steps(s.out).size(), 8u);
}

TEST_F(ResumeTest, NotesAnotherOrderOfSums) {
  TrainSettings s = resumed();
  s.B = 1;
  s.total_batch_tokens = kB * kT;

  EXPECT_EQ(run(s), TrainOutcome::kFinished);

  EXPECT_TRUE(mentions(recorder_.notes, {"batching changed from", "B 7", "B 1 micro-steps 7"}));
  EXPECT_FALSE(mentions(recorder_.notes, {"schedule changed"}));
}

}  // namespace
}  // namespace weft
