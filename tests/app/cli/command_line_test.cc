#include <sstream>
#include <string>

#include "app/weft_command.h"
#include "support/special_files.h"

namespace weft {
namespace {

class CommandLine : public WeftCommand {};

TEST_F(CommandLine, HelpGoesToStandardOutput) {
  const CommandResult result = weft({"--help"});

  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_TRUE(mentions(result.out, {"train", "generate", "eval", "tokenize", "inspect"}));
}

TEST_F(CommandLine, EveryCommandHasHelp) {
  for (const char* name :
       {"train", "generate", "eval", "convert", "tokenize", "inspect", "stories"}) {
    const CommandResult result = weft({name, "--help"});

    EXPECT_EQ(result.status, 0) << name;
    EXPECT_TRUE(mentions(result.out, {"--help"})) << name;
  }
}

TEST_F(CommandLine, VersionNamesCommitCompilerAndLibraries) {
  const CommandResult result = weft({"--version"});

  EXPECT_EQ(result.status, 0);
  EXPECT_TRUE(mentions(result.out, {"weft ", "commit", "compiler", "GEMM", "OpenMP", "MPI"}));
}

TEST_F(CommandLine, WithoutACommandSaysWhatIsMissing) {
  EXPECT_TRUE(is_input_error(weft({}), {"command is missing", "--help"}));
}

TEST_F(CommandLine, AnUnknownCommandNamesTheNearest) {
  EXPECT_TRUE(is_input_error(weft({"tran"}), {"unknown command tran", "did you mean train?"}));
  EXPECT_TRUE(is_input_error(weft({"--versoin"}), {"did you mean --version?"}));
}

TEST_F(CommandLine, AnUnknownFlagNamesTheNearest) {
  EXPECT_TRUE(is_input_error(weft({"train", "--bach-size", "4"}),
                             {"[train]", "--bach-size", "did you mean --batch-size?"}));
  EXPECT_TRUE(is_input_error(weft({"generate", "--temprature=1"}),
                             {"--temprature;", "did you mean --temperature?"}));
  EXPECT_TRUE(is_input_error(weft({"eval", "--batch", "4"}), {"did you mean --batch-size?"}));
}

TEST_F(CommandLine, AStrayArgumentIsAnError) {
  EXPECT_TRUE(is_input_error(weft({"train", "text.txt"}), {"unexpected argument 'text.txt'"}));
}

TEST_F(CommandLine, WrongNumbersNameTheirFlag) {
  const std::vector<std::vector<std::string>> wrong = {
      {"--batch-size", "0"},  {"--batch-size", "-3"}, {"--steps", "99999999999999999999"},
      {"--steps", "1e3"},     {"--steps", ""},        {"--lr", "nan"},
      {"--lr", "inf"},        {"--lr", "-0.1"},       {"--lr", "1e999"},
      {"--lr", "0.1x"},       {"--seed", "-1"},       {"--threads", "0"},
      {"--keep", "-1"},       {"--epochs", "0"},      {"--seq-len", "0"},
      {"--beta2", "1"},       {"--eps", "0"},         {"--final-lr-frac", "2"},
      {"--schedule", "sine"}, {"--exec", "taks"},     {"--precision", "fp8"},
      {"--recompute", "all"}, {"--dist", "ring"},     {"--total-batch-tokens", "0"},
  };
  for (const std::vector<std::string>& flag : wrong) {
    EXPECT_TRUE(is_input_error(weft({"train", flag[0] + "=" + flag[1]}), {"[train] " + flag[0]}))
        << flag[0] << " " << flag[1];
  }
}

TEST_F(CommandLine, WhatIsNotThereYetSaysWhatIs) {
  EXPECT_TRUE(
      is_input_error(weft({"train", "--dist", "ring"}), {"use all-reduce, sharded, server"}));
}

TEST_F(CommandLine, AFlagWithoutItsValueIsAnError) {
  EXPECT_TRUE(is_input_error(weft({"train", "--steps"}), {"--steps"}));
}

TEST_F(CommandLine, ErrorsStayOnOneLineWhateverTheUserTyped) {
  EXPECT_TRUE(is_input_error(weft({"train", "--schedule", "a\nb\x1b[2J"}), {"a?b?[2J"}));
}

TEST_F(CommandLine, RequiredFlagsAreNamed) {
  EXPECT_TRUE(is_input_error(weft({"train"}), {"--data is required"}));
  EXPECT_TRUE(is_input_error(weft({"train", "--data", "x"}), {"--out is required"}));
  EXPECT_TRUE(is_input_error(weft({"generate"}), {"--model is required"}));
  EXPECT_TRUE(is_input_error(weft({"eval"}), {"--model is required"}));
  EXPECT_TRUE(is_input_error(weft({"inspect"}), {"PATH is required"}));
}

TEST_F(CommandLine, AnEmptyValueIsNoPath) {
  EXPECT_TRUE(is_input_error(weft({"generate", "--model", ""}), {"--model is required"}));
  EXPECT_TRUE(is_input_error(weft({"convert", "--from", "a", "--to", ""}), {"--to is required"}));
  EXPECT_TRUE(
      is_input_error(weft({"train", "--data", "", "--out", "b"}), {"an input has an empty name"}));
}

TEST_F(CommandLine, HelpFitsOneHundredColumns) {
  for (const char* command : {"train", "generate", "eval", "convert", "tokenize", "inspect"}) {
    std::istringstream lines(weft({command, "--help"}).out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100) << line;
  }
}

// A pipe without a writer would never end.
TEST_F(CommandLine, WhatIsNoConfigurationFileSaysWhy) {
  for (const SpecialFile& file : special_files()) {
    const std::string config = path("config" + std::to_string(file.reason.size()));
    file.make(config);

    EXPECT_TRUE(is_input_error(weft({"train", "--config", config}), {"--config", file.reason}));
  }
}

TEST_F(CommandLine, AFullDiskOfStandardOutputIsAFailure) {
  const CommandResult result =
      run_command({"/bin/sh", "-c", WEFT_BINARY " stories --bytes 100000 > /dev/full"});

  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(mentions(result.err, {"weft: error: [weft] cannot write to standard output"}));
}

}  // namespace
}  // namespace weft
