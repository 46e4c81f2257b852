// TrainerTest: a fixture that runs small trainings into a directory of its own.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "run/trainer.h"
#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {

// B T = 287 token rows are two row tiles, and V is three blocks of logits.
inline constexpr Config kModel = {.L = 2, .NH = 3, .C = 15, .T = 53, .V = 257};
inline constexpr int64_t kB = 7, kT = 41;

// Ninety lines that repeat each other: 107 samples of training text.
inline std::string repetitive_text() {
  std::string text;
  for (int i = 0; i < 90; ++i) {
    text += "The shuttle carries thread number " + std::to_string(i % 10) + " through the warp.\n";
  }
  return text;
}

inline Dataset text_dataset(const std::string& text = repetitive_text()) {
  const TempDirectory dir;
  return open_dataset({dir.write("text.txt", text)}, {}, nullptr);
}

struct Parallelism {
  const char* executor;
  int threads;
};

inline std::ostream& operator<<(std::ostream& out, const Parallelism& p) {
  return out << p.executor << " " << p.threads;
}

// Records all calls. on_step is called after each step.
class Recorder : public TrainListener {
 public:
  void started(const RunReport& run) override { reports.push_back(run); }
  void stepped(const StepReport& step) override {
    steps.push_back(step);
    if (on_step) on_step(step);
  }
  void validated(int64_t step, double loss) override { validations.emplace_back(step, loss); }
  void sampled(int64_t step, const std::string& text) override { samples.emplace_back(step, text); }
  void saved(int64_t step, const std::filesystem::path& path) override {
    saves.emplace_back(step, path);
  }
  void noted(const std::string& message) override { notes += message + "\n"; }

  std::function<void(const StepReport&)> on_step;
  std::vector<RunReport> reports;
  std::vector<StepReport> steps;
  std::vector<std::pair<int64_t, double>> validations;
  std::vector<std::pair<int64_t, std::string>> samples;
  std::vector<std::pair<int64_t, std::filesystem::path>> saves;
  std::string notes;
};

// loss, lr, gradient norm and tokens of a step, bit by bit.
using StepBits = std::tuple<uint64_t, uint64_t, uint64_t, int64_t>;

inline StepBits bits_of(double loss, double lr, double grad_norm, int64_t tokens) {
  return {std::bit_cast<uint64_t>(loss), std::bit_cast<uint64_t>(lr),
          std::bit_cast<uint64_t>(grad_norm), tokens};
}

class TrainerTest : public testing::Test {
 protected:
  // Seven steps into <directory>/<name>.
  TrainSettings settings(const std::string& name = "run") const {
    TrainSettings s;
    s.model = kModel;
    s.output.directory = dir_ / name;
    s.step.B = kB;
    s.step.T = kT;
    s.batches.steps = 7;
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

  std::vector<nlohmann::json> records(const std::filesystem::path& out,
                                      const std::string& kind) const {
    std::istringstream lines(read_file(out / "metrics.jsonl"));
    std::vector<nlohmann::json> found;
    for (std::string line; std::getline(lines, line);) {
      nlohmann::json record = nlohmann::json::parse(line);
      if (record.at("kind") == kind) found.push_back(std::move(record));
    }
    return found;
  }

  // The steps in the log, each of which must be there once.
  std::map<int64_t, StepBits> logged_steps(const std::filesystem::path& out) const {
    std::map<int64_t, StepBits> steps;
    for (const nlohmann::json& r : records(out, "train")) {
      const bool is_new = steps
                              .emplace(r.at("step"), bits_of(r.at("loss"), r.at("lr"),
                                                             r.at("grad_norm"), r.at("tokens")))
                              .second;
      EXPECT_TRUE(is_new) << "step " << r.at("step") << " is there twice";
    }
    return steps;
  }

  // Two runs that ended after the same steps left the same files and logged the same numbers.
  void expect_same_bits(const std::filesystem::path& actual, const std::filesystem::path& expected,
                        int steps = 7) const {
    for (const char* file : {"model.safetensors", "optimizer.safetensors"}) {
      const std::filesystem::path path =
          std::filesystem::path("checkpoints/step_0000000" + std::to_string(steps)) / file;
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

}  // namespace weft
