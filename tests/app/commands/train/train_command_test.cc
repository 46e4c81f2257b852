#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <tuple>

#include "app/weft_command.h"
#include "data/token_source.h"
#include "runlog/event_decoder.h"

namespace weft {
namespace {

using nlohmann::json;

class TrainCommand : public WeftCommand {
 protected:
  TrainCommand() { write_text(); }

  std::string write_shard(std::string_view name, size_t n, Token largest) const {
    std::vector<Token> tokens(n, Token{1});
    tokens.back() = largest;
    write_token_shard(path(name), tokens);
    return path(name);
  }

  // Objects of metrics.jsonl of one kind.
  std::vector<json> metrics(std::string_view kind, std::string_view run = "run") const {
    std::istringstream lines(read_file(directory_ / run / "metrics.jsonl"));
    std::vector<json> found;
    for (std::string line; std::getline(lines, line);) {
      json record = json::parse(line);
      if (record["kind"] == kind) found.push_back(std::move(record));
    }
    return found;
  }

  std::vector<std::string> checkpoints() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / "run/checkpoints")) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }
};

TEST_F(TrainCommand, PrintsTheCheckpointOnStandardOutputAndTheRestOnStandardError) {
  const CommandResult result = weft(training({"--steps", "3"}));

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, path("run") + "/checkpoints/step_00000003\n");
  EXPECT_TRUE(
      mentions(result.err, {"model", "data", "(mfu by llm.c: 6N + 6LCT)", "step 1/3", "step 3/3",
                            "validation loss", "done after step 3 of 3", "weft generate --model"}));
}

TEST_F(TrainCommand, APipeGetsPlainLines) {
  const CommandResult result = weft(training({"--steps", "30"}));

  EXPECT_EQ(result.err.find('\r'), std::string::npos);
  EXPECT_EQ(result.err.find('\x1b'), std::string::npos);
  EXPECT_TRUE(result.err.ends_with('\n'));
}

TEST_F(TrainCommand, ATerminalGetsALiveLineThatIsTakenAway) {
  Command command(this->command(training({"--steps", "20"})), Command::Stderr::kTerminal);

  const CommandResult result = command.finish();

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(mentions(result.err, {"\r\x1b[K[", "] 20/20  loss", "done after step 20 of 20"}));
  EXPECT_EQ(result.err.find("step 20/20"), std::string::npos);
}

TEST_F(TrainCommand, LogsTheRunAndEveryStep) {
  weft(training({"--steps", "5", "--threads", "2", "--exec", "fork-join"}));

  const json run = metrics("run").at(0);
  EXPECT_EQ(run["executor"], "fork-join");
  EXPECT_EQ(run["threads"], 2);
  EXPECT_GT(run["peak_flops"], 1e8);
  EXPECT_TRUE(run.contains("version") && run.contains("machine"));
  EXPECT_EQ(metrics("train").size(), 5u);
  EXPECT_EQ(metrics("val").size(), 1u);
  EXPECT_EQ(metrics("checkpoint").size(), 1u);
}

TEST_F(TrainCommand, ATypicalMistakeInTheShapeIsExplained) {
  const auto with_model = [&](const char* model) {
    return weft({"train", "--data", path("text.txt"), "--out", path("run"), "--model", model});
  };

  EXPECT_TRUE(is_input_error(with_model("L=1,NH=3,C=16,T=8"), {"C=16", "NH=3"}));
  EXPECT_TRUE(is_input_error(with_model("L=1,NH=2,C=16"), {"T"}));
  EXPECT_TRUE(is_input_error(with_model("gpt5"), {"gpt5"}));
  EXPECT_TRUE(is_input_error(with_model("L=1,NH=2,C=16,T=8,V=100"), {"116", "V is 100"}));
  EXPECT_TRUE(is_input_error(weft(training({"--seq-len", "9"})), {"--seq-len 9", "8"}));
  EXPECT_TRUE(is_input_error(weft(training({"--total-batch-tokens", "17"})),
                             {"--total-batch-tokens 17", "use 32"}));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "run"));
}

TEST_F(TrainCommand, StepsAndEpochsExcludeEachOther) {
  EXPECT_TRUE(
      is_input_error(weft(training({"--steps", "3", "--epochs", "2"})), {"--steps", "--epochs"}));
}

TEST_F(TrainCommand, MissingAndShortInputIsExplained) {
  EXPECT_TRUE(is_input_error(weft({"train", "--data", path("absent.txt"), "--out", path("run")}),
                             {"absent.txt"}));
  EXPECT_TRUE(is_input_error(weft({"train", "--data", path("no*.bin"), "--out", path("run")}),
                             {"no*.bin"}));
  write_text("short.txt", 7);
  EXPECT_TRUE(is_input_error(
      weft({"train", "--data", path("short.txt"), "--out", path("run"), "--model", kTinyModel}),
      {"too few"}));
}

TEST_F(TrainCommand, ShardsThatAreTruncatedOrOfAnotherVocabularyAreRefused) {
  const std::string shard = write_shard("large.bin", 100, 300);
  const std::vector<std::string> arguments = {
      "train", "--data", shard, "--out", path("run"), "--model", "L=1,NH=2,C=16,T=8,V=300"};

  EXPECT_TRUE(is_input_error(weft(arguments), {"token id 300", "V is 300"}));
  std::filesystem::resize_file(shard, 1100);
  EXPECT_TRUE(is_input_error(weft(arguments), {"large.bin", "truncated"}));
}

TEST_F(TrainCommand, ShardsNeedNoTokenizerAndDefaultToTheVocabularyOfGpt2) {
  const std::string shard = write_shard("gpt2.bin", 100, 50256);

  const CommandResult result =
      weft({"train", "--data", shard, "--out", path("run"), "--model", kTinyModel, "--steps", "1",
            "--val-every", "1", "--sample-every", "1"});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(mentions(result.err, {"V=50257", "need --val", "need --tokenizer"}));
}

// 175 billion parameters, four arrays of them: nobody's machine.
TEST_F(TrainCommand, AModelThatDoesNotFitInMemoryIsRefusedBeforeTheRun) {
  write_text();

  const CommandResult result =
      weft({"train", "--data", path("text.txt"), "--model", "L=96,NH=96,C=12288,T=2048",
            "--seq-len", "8", "--out", path("run")});

  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(mentions(result.err, {"[memory] training L=96", "needs 278", " GB available",
                                    "use a smaller --model"}));
  EXPECT_FALSE(std::filesystem::exists(path("run")));
}

TEST_F(TrainCommand, ARunIsNotOverwritten) {
  weft(training({"--steps", "1"}));

  EXPECT_TRUE(
      is_input_error(weft(training({"--steps", "1"})), {"already holds a run", "--resume"}));
}

TEST_F(TrainCommand, ResumeWithAnotherModelIsRefused) {
  weft(training({"--steps", "1"}));

  const CommandResult result =
      weft({"train", "--data", path("text.txt"), "--out", path("run"), "--batch-size", "2",
            "--steps", "2", "--model", "L=2,NH=2,C=16,T=8", "--resume"});

  EXPECT_EQ(result.status, 2);
  EXPECT_TRUE(mentions(result.err, {"L=1", "L=2", "--model"}));
}

TEST_F(TrainCommand, ResumeOfAFinishedRunHasNothingToDo) {
  weft(training({"--steps", "2"}));

  const CommandResult result = weft(training({"--steps", "2", "--resume"}));

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(mentions(result.err, {"already has all of its 2 steps"}));
  EXPECT_EQ(result.out, "");
}

TEST_F(TrainCommand, SigtermSavesExits143AndResumeContinues) {
  Command first(command(training({"--steps", "1000000"})));
  ASSERT_TRUE(first.wait_for_stderr("step 1/"));
  first.send(SIGTERM);

  const CommandResult stopped = first.finish();

  EXPECT_EQ(stopped.status, 143) << stopped.err;
  EXPECT_TRUE(mentions(stopped.err, {"saved", "stopped after step", "--resume"}));
  ASSERT_EQ(checkpoints().size(), 1u);
  const int64_t last = metrics("train").back()["step"];

  const CommandResult resumed = weft({"train", "--config", path("run/config.toml"), "--resume",
                                      "--steps", std::to_string(last + 2)});

  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_TRUE(mentions(resumed.err, {"resumed from"}));
  EXPECT_EQ(metrics("train").back()["step"], last + 2);
  EXPECT_EQ(static_cast<int64_t>(metrics("train").size()), last + 2);
}

TEST_F(TrainCommand, SigintSavesAndExits130) {
  Command command(this->command(training({"--steps", "1000000"})));
  ASSERT_TRUE(command.wait_for_stderr("step 1/"));
  command.send(SIGINT);

  const CommandResult result = command.finish();

  EXPECT_EQ(result.status, 130) << result.err;
  EXPECT_EQ(checkpoints().size(), 1u);
}

TEST_F(TrainCommand, ASecondSignalEndsTheRunAtOnceWithoutSaving) {
  // A step of this model takes seconds, long enough for both signals.
  Command command(
      this->command({"train", "--data", path("text.txt"), "--out", path("run"), "--model",
                     "L=8,NH=4,C=512,T=128", "--total-batch-tokens", "65536", "--steps", "5"}));
  ASSERT_TRUE(command.wait_for_stderr("out  "));
  command.send(SIGINT);
  ASSERT_TRUE(command.wait_for_stderr("stopping after this step"));
  command.send(SIGTERM);

  const CommandResult result = command.finish();

  EXPECT_EQ(result.status, 143) << result.err;
  EXPECT_FALSE(std::filesystem::exists(directory_ / "run/checkpoints"));
}

TEST_F(TrainCommand, TheConfigOfARunRepeatsIt) {
  weft(training({"--steps", "4", "--no-shuffle", "--lr", "0.01", "--seed", "7"}));

  const CommandResult again =
      weft({"train", "--config", path("run/config.toml"), "--out", path("again")});

  EXPECT_EQ(again.status, 0) << again.err;
  const std::vector<json> before = metrics("train"), after = metrics("train", "again");
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(before[i]["loss"], after[i]["loss"]);
}

class RecomputeFlag : public TrainCommand {
 protected:
  // Four steps; of four blocks, two are recomputed where it is asked for.
  CommandResult train(const std::string& run, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {
        "train",   "--data", path("text.txt"),     "--model", "L=4,NH=2,C=16,T=16",
        "--steps", "4",      "--checkpoint-every", "2",       "--out",
        path(run)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return weft(arguments);
  }
  std::string weights(const std::string& run) const {
    return read_file(directory_ / run / "checkpoints/step_00000004/model.safetensors");
  }
};

TEST_F(RecomputeFlag, IsRecordedAndLeavesTheSameWeights) {
  for (const char* value : {"none", "gelu", "block"}) {
    const CommandResult result = train(value, {"--recompute", value});
    EXPECT_EQ(result.status, 0) << result.err;
  }

  EXPECT_TRUE(mentions(read_file(directory_ / "block/config.toml"), {"recompute = \"block\""}));
  EXPECT_TRUE(weights("block") == weights("none"));
  EXPECT_TRUE(weights("gelu") == weights("none"));
}

TEST_F(RecomputeFlag, MayChangeWhereARunIsResumed) {
  train("run", {"--recompute", "none"});
  const std::string expected = weights("run");
  std::filesystem::remove_all(directory_ / "run/checkpoints/step_00000004");

  const CommandResult resumed =
      weft({"train", "--config", path("run/config.toml"), "--resume", "--recompute", "block"});

  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_TRUE(mentions(resumed.err, {"resumed from", "step_00000002"}));
  EXPECT_FALSE(mentions(resumed.err, {"changed"}));
  EXPECT_TRUE(weights("run") == expected);
}

TEST_F(TrainCommand, InitTakesModelAndTokenizerFromAnotherRun) {
  weft(training({"--steps", "3"}));
  const std::vector<std::string> arguments = {"train",       "--data",    path("text.txt"),
                                              "--init",      path("run"), "--out",
                                              path("tuned"), "--steps",   "1"};

  const CommandResult tuned = weft(arguments);
  std::vector<std::string> other_model = arguments;
  other_model.insert(other_model.end(), {"--model", "L=2,NH=2,C=16,T=8"});

  EXPECT_EQ(tuned.status, 0) << tuned.err;
  EXPECT_TRUE(mentions(tuned.err, {"L=1,NH=2,C=16,T=8,V=257", "weights of " + path("run")}));
  EXPECT_TRUE(is_input_error(weft(other_model), {"--model", "--init"}));
}

TEST_F(TrainCommand, TraceHoldsTheChosenSteps) {
  const CommandResult result =
      weft(training({"--steps", "5", "--trace", path("trace.json"), "--trace-steps", "2:3"}));

  EXPECT_EQ(result.status, 0) << result.err;
  const json trace = json::parse(read_file(directory_ / "trace.json"));
  std::set<int64_t> steps;
  for (const json& event : trace["traceEvents"]) {
    if (event["ph"] == "X") steps.insert(event["args"]["step"].get<int64_t>());
  }
  EXPECT_EQ(steps, (std::set<int64_t>{2, 3}));
}

// What each of them holds, tests/timelines_test.py checks.
TEST_F(TrainCommand, TraceIsWrittenInTheFormThatItsNameSays) {
  for (const char* name : {"t.json.gz", "t.prv"}) {
    std::filesystem::remove_all(directory_ / "run");

    const CommandResult result = weft(training({"--steps", "2", "--trace", path(name)}));

    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_TRUE(mentions(result.err, {"efficiency of the traced steps: ", " % parallel = ",
                                      "trace in " + path(name)}));
  }

  EXPECT_TRUE(read_file(path("t.json.gz")).starts_with("\x1F\x8B"));
  EXPECT_TRUE(read_file(path("t.prv")).starts_with("#Paraver ("));
  EXPECT_TRUE(mentions(read_file(path("t.pcf")), {"qkv/forward"}));
  EXPECT_TRUE(mentions(read_file(path("t.row")), {"rank 0, worker 0"}));
}

TEST_F(TrainCommand, TraceSettingsAreCheckedBeforeTheRun) {
  for (const char* name : {"t.txt", "t.gz", "t.pcf", "json"}) {
    EXPECT_TRUE(is_input_error(weft(training({"--trace", path(name)})),
                               {"--trace", name, ".json", ".json.gz", ".prv"}));
  }
  EXPECT_TRUE(is_input_error(weft(training({"--trace", path("absent/t.json")})), {"absent"}));
  EXPECT_TRUE(is_input_error(weft(training({"--trace-steps", "1:2"})), {"--trace"}));
  for (const char* steps : {"3", "3:", "3:2", "0:2", "a:b", "1:2x"}) {
    EXPECT_TRUE(is_input_error(weft(training({"--trace", path("t.json"), "--trace-steps", steps})),
                               {"--trace-steps"}))
        << steps;
  }
}

// The scalars of the run's event files: (tag, step, value), in no order.
using Scalars = std::multiset<std::tuple<std::string, int64_t, float>>;

TEST_F(TrainCommand, TensorboardGetsTheNumbersOfTheMetrics) {
  const CommandResult result =
      weft(training({"--steps", "5", "--val-every", "2", "--sample-every", "5", "--tensorboard"}));

  ASSERT_EQ(result.status, 0) << result.err;
  Scalars expected, found;
  for (const char* kind : {"train", "val"}) {
    for (const json& record : metrics(kind)) {
      for (const auto& [field, value] : record.items()) {
        if (field == "kind" || field == "step") continue;
        expected.emplace(std::string(kind) + "/" + field, record["step"].get<int64_t>(),
                         value.get<float>());
      }
    }
  }
  std::map<std::string, std::string> texts;
  for (const auto& entry : std::filesystem::directory_iterator(directory_ / "run")) {
    if (!entry.path().filename().string().starts_with("events.out.tfevents.")) continue;
    for (const DecodedEvent& event : decode_events(read_file(entry.path()))) {
      for (const auto& [tag, value] : event.scalars) found.emplace(tag, event.step, value);
      for (const auto& [tag, text] : event.texts) texts[tag] = text;
    }
  }
  EXPECT_EQ(found, expected);
  EXPECT_GT(found.size(), 40u);
  EXPECT_EQ(json::parse(texts.at("run/description")), metrics("run").at(0));
  EXPECT_TRUE(mentions(texts.at("run/config"), {"    tensorboard = true\n"}));
  EXPECT_TRUE(texts.contains("sample/text"));
  EXPECT_TRUE(mentions(texts.at("checkpoint/path"), {"step_00000005"}));
}

TEST_F(TrainCommand, WithoutTensorboardThereAreNoEventFiles) {
  weft(training({"--steps", "1"}));

  for (const auto& entry : std::filesystem::directory_iterator(directory_ / "run")) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("events"));
  }
}

TEST_F(TrainCommand, KeepsTheNewestCheckpoints) {
  weft(training({"--steps", "6", "--checkpoint-every", "2", "--keep", "2"}));

  EXPECT_EQ(checkpoints(), (std::vector<std::string>{"step_00000004", "step_00000006"}));
}

}  // namespace
}  // namespace weft
