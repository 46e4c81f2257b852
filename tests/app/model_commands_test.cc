// generate, eval and inspect on a model that train has made.
#include <cmath>
#include <nlohmann/json.hpp>

#include "app/weft_command.h"
#include "base/file_system.h"

namespace weft {
namespace {

using nlohmann::json;

class ModelCommands : public WeftCommand {
 protected:
  ModelCommands() {
    write_text();
    trained_ = weft(training({"--steps", "30", "--lr", "0.01"}));
  }

  std::string checkpoint() const { return path("run/checkpoints/step_00000030"); }

  CommandResult trained_;
};

TEST_F(ModelCommands, GenerateContinuesThePromptOnStandardOutput) {
  ASSERT_EQ(trained_.status, 0) << trained_.err;

  const CommandResult result =
      weft({"generate", "--model", path("run"), "--prompt", "The cat", "--tokens", "20"});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(result.out.starts_with("The cat"));
  EXPECT_TRUE(result.out.ends_with("\n"));
  EXPECT_GT(result.out.size(), std::string("The cat\n").size());
  EXPECT_TRUE(mentions(result.err, {"tokens/s"}));
}

TEST_F(ModelCommands, TheSeedDecidesTheText) {
  const auto text = [&](const char* seed) {
    return weft({"generate", "--model", checkpoint(), "--seed", seed, "--tokens", "64"}).out;
  };

  EXPECT_EQ(text("1"), text("1"));
  EXPECT_NE(text("1"), text("2"));
}

TEST_F(ModelCommands, GreedyTextIsTheSameForEveryExecutorAndSeed) {
  const auto text = [&](const char* exec, const char* seed) {
    return weft({"generate", "--model", path("run"), "--prompt", "The", "--temperature", "0",
                 "--exec", exec, "--seed", seed, "--threads", "3"})
        .out;
  };

  EXPECT_EQ(text("tasks", "1"), text("sequential", "2"));
}

TEST_F(ModelCommands, SamplesAreSeparated) {
  const CommandResult result = weft(
      {"generate", "--model", path("run"), "--num-samples", "3", "--tokens", "5", "--prompt", "T"});

  EXPECT_EQ(result.status, 0) << result.err;
  const size_t first = result.out.find("\n---\n");
  ASSERT_NE(first, std::string::npos);
  EXPECT_NE(result.out.find("\n---\n", first + 1), std::string::npos);
}

TEST_F(ModelCommands, ThePromptMayComeFromAFile) {
  directory_.write("prompt.txt", "On the mat");

  const CommandResult result = weft(
      {"generate", "--model", path("run"), "--prompt-file", path("prompt.txt"), "--tokens", "3"});

  EXPECT_TRUE(result.out.starts_with("On the mat"));
  EXPECT_TRUE(is_input_error(weft({"generate", "--model", path("run"), "--prompt-file",
                                   path("prompt.txt"), "--prompt", "x"}),
                             {"--prompt"}));
}

TEST_F(ModelCommands, AModelThatIsNotThereIsNamed) {
  EXPECT_TRUE(is_input_error(weft({"generate", "--model", path("absent")}), {"absent"}));
  EXPECT_TRUE(is_input_error(weft({"eval", "--model", path("absent"), "--data", path("text.txt")}),
                             {"absent"}));
}

TEST_F(ModelCommands, EvalPrintsOneLineOfJson) {
  const CommandResult result =
      weft({"eval", "--model", path("run"), "--data", path("text.txt"), "--batch-size", "3"});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out.find('\n') + 1, result.out.size());
  const json values = json::parse(result.out);
  EXPECT_NEAR(values["perplexity"].get<double>(), std::exp(values["loss"].get<double>()), 1e-9);
  EXPECT_EQ(values["tokens"], 1999);  // of 2000 bytes, all but the first
  EXPECT_LT(values["loss"], 5.);      // ln 257 = 5.55 without training
}

TEST_F(ModelCommands, EvalRefusesSequencesLongerThanTheModels) {
  EXPECT_EQ(
      weft({"eval", "--model", path("run"), "--data", path("text.txt"), "--seq-len", "9"}).status,
      2);
}

TEST_F(ModelCommands, ATokenizerOfAnotherVocabularyIsRefused) {
  const CommandResult small = weft({"train", "--data", path("text.txt"), "--out", path("small"),
                                    "--model", "L=1,NH=2,C=16,T=8,V=200", "--steps", "1"});
  ASSERT_EQ(small.status, 0) << small.err;

  EXPECT_TRUE(is_input_error(weft({"generate", "--model", path("small")}),
                             {"no tokenizer", "--tokenizer"}));
  EXPECT_TRUE(is_input_error(weft({"generate", "--model", path("small"), "--tokenizer", "bytes"}),
                             {"257", "V=200"}));
}

TEST_F(ModelCommands, InspectKnowsRunsAndCheckpoints) {
  const CommandResult run = weft({"inspect", path("run")});
  const CommandResult single = weft({"inspect", checkpoint()});

  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_TRUE(
      mentions(run.out, {"weft run directory", "step_00000030", "L=1,NH=2,C=16,T=8,V=257"}));
  EXPECT_EQ(single.status, 0) << single.err;
  EXPECT_TRUE(mentions(single.out, {"weft checkpoint", "30", "whole"}));
}

TEST_F(ModelCommands, InspectFindsDamage) {
  const std::filesystem::path weights = checkpoint() + "/optimizer.safetensors";
  std::string bytes = read_file(weights);
  bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 1);
  write_file_durably(weights, bytes);

  EXPECT_TRUE(is_input_error(weft({"inspect", path("run")}), {"optimizer.safetensors"}));
  EXPECT_TRUE(is_input_error(weft({"inspect", checkpoint()}), {"optimizer.safetensors"}));
}

TEST_F(ModelCommands, InspectRefusesWhatItDoesNotKnow) {
  EXPECT_TRUE(is_input_error(weft({"inspect", path("text.txt")}), {"nothing that weft knows"}));
  EXPECT_TRUE(is_input_error(weft({"inspect", path("absent")}), {"absent"}));
}

}  // namespace
}  // namespace weft
