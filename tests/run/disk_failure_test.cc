// What a run leaves behind when its disk fails or its machine loses power, at every moment at which
// that can happen.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/files.h"
#include "exec/executor.h"
#include "run/checkpoint.h"
#include "run/checkpoint_policy.h"
#include "run/trainer.h"
#include "runlog/event_file.h"
#include "step/random_state.h"
#include "support/error_of.h"
#include "support/failing_disk.h"
#include "support/power_loss_disk.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using Luck = PowerLossDisk::Luck;

constexpr Config kModel = {.L = 1, .NH = 1, .C = 3, .T = 5, .V = 257};
constexpr int64_t kSteps = 6;

class Notes : public TrainListener {
 public:
  void started(const RunReport&) override {}
  void stepped(const StepReport&) override {}
  void validated(int64_t, double) override {}
  void sampled(int64_t, const std::string&) override {}
  void saved(int64_t, const fs::path&) override {}
  void noted(const std::string& message) override { text += message + "\n"; }

  std::string text;
};

// Six steps of a tiny model, with a checkpoint after each second one, of which one is kept.
class DiskFailure : public testing::Test {
 protected:
  std::string run(const fs::path& out, FileSystem& files, bool resume = false) const {
    TrainSettings s;
    s.output.tensorboard = tensorboard_;
    s.model = kModel;
    s.output.directory = out;
    s.output.resume = resume;
    s.step.B = 2;
    s.step.T = 5;
    s.batches.steps = kSteps;
    s.checkpoints.every = 2;
    s.checkpoints.keep = 1;
    Notes notes;
    const std::atomic<int> never = 0;
    train(s, dataset_, *make_executor("sequential", 1), notes, never, nullptr, files);
    return notes.text;
  }

  void expect_finished_as_if_undisturbed(const fs::path& out) {
    if (!fs::exists(dir_ / "undisturbed")) run(dir_ / "undisturbed", disk());
    for (const char* file : {"model.safetensors", "optimizer.safetensors"}) {
      const fs::path path = fs::path("checkpoints/step_00000006") / file;
      EXPECT_TRUE(read_file(out / path) == read_file(dir_ / "undisturbed" / path)) << file;
    }
    EXPECT_EQ(losses(out), losses(dir_ / "undisturbed"));
    std::set<std::string> names = names_in(out);
    std::erase_if(names, [](const std::string& name) { return name.starts_with("events.out."); });
    EXPECT_EQ(names, (std::set<std::string>{"checkpoints", "config.toml", "metrics.jsonl"}));
    EXPECT_EQ(names_in(out / "checkpoints"), (std::set<std::string>{"step_00000006"}));
  }

  static std::vector<std::string> losses(const fs::path& out) {
    std::istringstream lines(read_file(out / "metrics.jsonl"));
    std::vector<std::string> found;
    for (std::string line; std::getline(lines, line);) {
      const nlohmann::json record = nlohmann::json::parse(line);
      if (record.at("kind") == "train") found.push_back(record.at("loss").dump());
    }
    return found;
  }

  static std::set<std::string> names_in(const fs::path& directory) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory)) {
      names.insert(entry.path().filename());
    }
    return names;
  }

  // No checkpoint under a good name is damaged. Returns the newest one's step, or 0.
  static int64_t newest_step(const fs::path& run_directory) {
    const auto found = newest_good_checkpoint(
        run_directory, [](const std::string& message) { ADD_FAILURE() << message; });
    return found ? found->state.step : 0;
  }

  // An empty directory, each time another one.
  fs::path fresh() {
    fs::path path = dir_ / ("run" + std::to_string(directories_++));
    fs::create_directory(path);
    return path;
  }

  size_t calls_of_a_run() {
    FailingDisk healthy;
    run(fresh(), healthy);
    return healthy.calls();
  }

  TempDirectory dir_;
  Dataset dataset_ =
      open_dataset({dir_.write("text.txt",
                               "Warp and weft, warp and weft, over and under and over, left to "
                               "right, and back to left, until the cloth is done.\n")},
                   {}, nullptr);
  int directories_ = 0;
  bool tensorboard_ = false;
};

TEST_F(DiskFailure, ADiskThatStaysFullEndsTheRunWithAdviceAndKeepsWhatWasSaved) {
  const size_t calls = calls_of_a_run();
  ASSERT_GT(calls, 60u);

  for (size_t first = 0; first < calls; first += 5) {
    SCOPED_TRACE("from call " + std::to_string(first));
    const fs::path out = fresh();
    FailingDisk full({.first = first, .count = SIZE_MAX, .code = ENOSPC});

    const std::string error = error_of([&] { run(out, full); });

    EXPECT_TRUE(mentions(error, {"No space left", "the disk is full; free some space"}));
    newest_step(out);
    run(out, disk(), true);
    expect_finished_as_if_undisturbed(out);
  }
}

// Most moments cost one checkpoint, or nothing: the run goes on. It ends where it could not start,
// and where its last checkpoint fails.
TEST_F(DiskFailure, ADiskThatFailsOnceIsNotedOrEndsTheRunWithAdvice) {
  tensorboard_ = true;
  const size_t calls = calls_of_a_run();
  int went_on = 0;

  for (size_t call = 0; call < calls; call += 2) {
    SCOPED_TRACE("call " + std::to_string(call));
    const fs::path out = fresh();
    FailingDisk failing({.first = call, .count = 1, .code = EIO});

    std::string notes;
    const std::string error = error_of([&] { notes = run(out, failing); });

    EXPECT_TRUE(mentions(error + notes, {"Input/output error", "the disk may be failing"}));
    if (error.empty()) {
      ++went_on;
      EXPECT_TRUE(mentions(notes, {"the run goes on"}));
    } else {
      newest_step(out);
      run(out, disk(), true);
    }
    EXPECT_EQ(newest_step(out), kSteps);
    EXPECT_EQ(losses(out).size(), size_t{kSteps});
  }
  EXPECT_GT(went_on, static_cast<int>(calls / 4));
}

TEST_F(DiskFailure, LinesOfTheLogWaitForTheDisk) {
  const fs::path out = fresh();
  // Call 0 removes nothing, 1 to 4 write config.toml and 5 to 7 open the log: the rest are lines.
  FailingDisk full_for_a_while({.first = 9, .count = 3, .code = ENOSPC});

  const std::string notes = run(out, full_for_a_while);

  EXPECT_TRUE(mentions(notes, {"cannot write", "metrics.jsonl", "No space left on device",
                               "free some space", "the lines wait in memory"}));
  expect_finished_as_if_undisturbed(out);
}

// Steps 1 to 6 as event files tell them, with what a later file voids left out.
std::vector<std::pair<int64_t, float>> losses_in_events(const fs::path& out) {
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(out)) {
    if (entry.path().filename().string().starts_with("events.out.")) files.insert(entry.path());
  }
  std::vector<std::pair<int64_t, float>> found;
  for (const fs::path& file : files) {
    EventFileReader reader(file);
    while (const auto event = reader.next()) {
      if (event->starts_session) {
        std::erase_if(found, [&](const auto& loss) { return loss.first >= event->step; });
      }
      for (const EventValue& value : event->values) {
        if (value.tag == "train/loss") found.emplace_back(event->step, value.number.value());
      }
    }
  }
  return found;
}

TEST_F(DiskFailure, EventsWaitForTheDiskAsLinesDo) {
  tensorboard_ = true;
  const fs::path healthy = fresh(), out = fresh();
  run(healthy, disk());
  // Behind the log's calls, 8 and 9 open the event file, and 10 is its first write.
  FailingDisk full_for_a_while({.first = 10, .count = 4, .code = ENOSPC});

  const std::string notes = run(out, full_for_a_while);

  EXPECT_TRUE(mentions(notes, {"cannot write", "events.out.tfevents.", "No space left on device",
                               "the lines wait in memory"}));
  expect_finished_as_if_undisturbed(out);
  EXPECT_EQ(losses_in_events(out).size(), size_t{kSteps});
  EXPECT_EQ(losses_in_events(out), losses_in_events(healthy));
}

TEST_F(DiskFailure, EventsOfARunThatLostPowerEqualThoseOfAnother) {
  tensorboard_ = true;
  const fs::path out = fresh();
  PowerLossDisk power(out);
  run(out, power);
  const auto expected = losses_in_events(out);
  ASSERT_EQ(expected.size(), size_t{kSteps});

  for (size_t calls = 0; calls <= power.calls(); calls += 7) {
    for (const Luck luck : {Luck::kAllLost, Luck::kTorn, Luck::kAllKept}) {
      SCOPED_TRACE("after call " + std::to_string(calls) + ", luck " + std::to_string(int(luck)));
      const fs::path left = fresh();
      power.restore(calls, luck, calls, left);

      run(left, disk(), true);

      EXPECT_EQ(losses_in_events(left), expected);
      fs::remove_all(left);
    }
  }
}

TEST_F(DiskFailure, APowerLossAtAnyMomentLeavesTheNewestCheckpointThatWasAcknowledged) {
  const fs::path out = fresh();
  PowerLossDisk power(out);
  std::vector<size_t> acknowledged = {0};  // [step]: calls until its checkpoint was there
  for (int64_t step = 1; step <= 3; ++step) {
    const TrainingState state = random_state(kModel, uint64_t(step));
    RunState run_state;
    run_state.step = step;
    const fs::path path = write_checkpoint(out, run_state, state, nullptr, power);
    acknowledged.push_back(power.calls());
    prune_checkpoints(out, path, 1, power);
  }

  for (size_t calls = 0; calls <= power.calls(); ++calls) {
    for (const Luck luck : {Luck::kAllLost, Luck::kNamesKept, Luck::kTorn, Luck::kAllKept}) {
      SCOPED_TRACE("after call " + std::to_string(calls) + ", luck " + std::to_string(int(luck)));
      const TempDirectory left;
      power.restore(calls, luck, calls, left.path());

      const int64_t step = newest_step(left.path());

      if (step < 3) {
        EXPECT_LT(calls, acknowledged[size_t(step + 1)]);
      }
    }
  }
}

TEST_F(DiskFailure, ARunThatLostPowerContinuesToTheSameBits) {
  const fs::path out = fresh();
  PowerLossDisk power(out);
  run(out, power);

  for (size_t calls = 0; calls <= power.calls(); calls += 3) {
    for (const Luck luck : {Luck::kAllLost, Luck::kNamesKept, Luck::kTorn}) {
      SCOPED_TRACE("after call " + std::to_string(calls) + ", luck " + std::to_string(int(luck)));
      const fs::path left = fresh();
      power.restore(calls, luck, calls, left);
      newest_step(left);

      run(left, disk(), true);

      expect_finished_as_if_undisturbed(left);
      fs::remove_all(left);
    }
  }
}

// The model of the disk itself: it must lose what it may lose, or the tests above prove nothing.
TEST_F(DiskFailure, ThePowerLossDiskLosesWhatWasNotSynced) {
  const fs::path root = fresh();
  PowerLossDisk power(root);
  const auto file = power.open(root / "a", FileSystem::Mode::kReplace);
  file->write("safe");
  file->sync();
  power.sync_directory(root);
  file->write(" lost");
  power.open(root / "b", FileSystem::Mode::kReplace)->write("bytes");
  power.rename(root / "a", root / "c");
  const auto left = [&](Luck luck) {
    const fs::path target = fresh();
    power.restore(power.calls(), luck, 1, target);
    return target;
  };

  const fs::path nothing_more = left(Luck::kAllLost);
  EXPECT_EQ(names_in(nothing_more), (std::set<std::string>{"a"}));
  EXPECT_EQ(read_file(nothing_more / "a"), "safe");
  const fs::path names_only = left(Luck::kNamesKept);
  EXPECT_EQ(names_in(names_only), (std::set<std::string>{"b", "c"}));
  EXPECT_EQ(read_file(names_only / "b"), "");
  EXPECT_EQ(read_file(left(Luck::kAllKept) / "c"), "safe lost");
}

}  // namespace
}  // namespace weft
