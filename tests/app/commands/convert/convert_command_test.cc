#include <filesystem>
#include <limits>

#include "app/weft_command.h"
#include "formats/safetensors.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

class ConvertCommand : public WeftCommand {
 protected:
  ConvertCommand() {
    write_text();
    trained_ = weft(training({"--steps", "2"}));
  }

  CommandResult convert(const std::string& from, const std::string& to,
                        const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"convert", "--from", path(from), "--to", path(to)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return weft(arguments);
  }

  std::string loss_of(const std::string& model) const {
    return weft(
               {"eval", "--model", path(model), "--data", path("text.txt"), "--tokenizer", "bytes"})
        .out;
  }

  // Overwrites the last weights of a model file: those of lnfb.
  void spoil(const std::string& file, const std::vector<float>& weights) const {
    std::string bytes = read_file(path(file));
    const std::string end(reinterpret_cast<const char*>(weights.data()),
                          weights.size() * sizeof(float));
    bytes.replace(bytes.size() - end.size(), end.size(), end);
    directory_.write(file, bytes);
  }

  CommandResult trained_;
};

TEST_F(ConvertCommand, EveryFormatIsTheSameModel) {
  ASSERT_EQ(trained_.status, 0) << trained_.err;

  EXPECT_EQ(convert("run", "a.bin").status, 0);
  EXPECT_EQ(convert("a.bin", "b.safetensors").status, 0);
  EXPECT_EQ(convert("b.safetensors", "c").status, 0);
  EXPECT_EQ(convert("c", "d.bin").status, 0);

  EXPECT_EQ(read_file(path("a.bin")), read_file(path("d.bin")));
  EXPECT_EQ(read_file(path("c/model.safetensors")),
            read_file(path("run/checkpoints/step_00000002/model.safetensors")));
  for (const char* model : {"a.bin", "b.safetensors", "c"}) {
    EXPECT_EQ(loss_of(model), loss_of("run")) << model;
  }
}

TEST_F(ConvertCommand, SaysWhatItWroteOnStandardError) {
  const CommandResult result = convert("run", "a.bin");

  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(mentions(result.err, {"a.bin: L=1,NH=2,C=16,T=8,V=257 in fp32"}));
  EXPECT_EQ(result.err.find("note:"), std::string::npos);
}

TEST_F(ConvertCommand, TheElementTypeIsTheSourcesUnlessAskedFor) {
  const CommandResult rounded = convert("run", "half.bin", {"--dtype", "bf16"});
  const CommandResult kept = convert("half.bin", "half");
  const CommandResult widened = convert("half", "wide.bin", {"--dtype", "fp32"});

  EXPECT_TRUE(mentions(rounded.err, {"note:", "weights lost precision", "in bf16"}));
  EXPECT_TRUE(mentions(kept.err, {"in bf16"}));
  EXPECT_EQ(kept.err.find("note:"), std::string::npos);
  EXPECT_TRUE(mentions(read_file(path("half/config.json")), {"bfloat16"}));
  EXPECT_TRUE(mentions(widened.err, {"in fp32"}));
  EXPECT_EQ(loss_of("wide.bin"), loss_of("half.bin"));
}

TEST_F(ConvertCommand, F16BecomesFp32AndThatIsSaid) {
  ASSERT_EQ(convert("run", "model").status, 0);
  const SafetensorsFile model(path("model/model.safetensors"));
  std::vector<TensorSpec> specs;
  for (const StoredTensor& t : model.tensors()) specs.push_back({t.name, DType::F16, t.shape});
  SafetensorsWriter halves(path("model/model.safetensors"), std::move(specs));
  for (const StoredTensor& t : model.tensors()) {
    const std::string zeros(t.bytes.size() / 2, '\0');
    halves.append(zeros.data(), zeros.size());
  }
  halves.finish();

  const CommandResult result = convert("model", "wide.bin");

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(mentions(result.err, {"note:", "holds F16, which is written as fp32"}));
}

TEST_F(ConvertCommand, WeightsThatAreNotFiniteAreNotedByEveryCommand) {
  ASSERT_EQ(convert("run", "a.bin").status, 0);
  spoil("a.bin",
        {std::numeric_limits<float>::quiet_NaN(), 1.f, -std::numeric_limits<float>::infinity()});
  const std::vector<std::vector<std::string>> commands = {
      {"convert", "--from", path("a.bin"), "--to", path("b.bin")},
      {"eval", "--model", path("a.bin"), "--data", path("text.txt")},
      {"generate", "--model", path("a.bin"), "--tokens", "1"},
      {"inspect", path("a.bin")},
      {"train", "--init", path("a.bin"), "--data", path("text.txt"), "--out", path("new")}};

  for (const std::vector<std::string>& command : commands) {
    EXPECT_TRUE(
        mentions(weft(command).err, {"note: 2 of ", " weights are not finite (first: lnfb[13])"}))
        << command[0];
  }
  EXPECT_EQ(read_file(path("a.bin")), read_file(path("b.bin")));
}

TEST_F(ConvertCommand, WhatIsThereIsReplacedOnlyByForce) {
  ASSERT_EQ(convert("run", "a.bin").status, 0);

  EXPECT_TRUE(is_input_error(convert("run", "a.bin"), {"a.bin exists already", "--force"}));
  EXPECT_EQ(convert("run", "a.bin", {"--force"}).status, 0);
  EXPECT_TRUE(is_input_error(convert("a.bin", "a.bin", {"--force"}), {"is the model to be read"}));
  EXPECT_TRUE(is_input_error(convert("a.bin", "run", {"--force"}), {"weft checkpoint or run"}));
}

TEST_F(ConvertCommand, TheTokenizerFollowsIntoADirectory) {
  ASSERT_EQ(convert("run", "c").status, 0);
  directory_.write("c/vocab.json", "{}");
  directory_.write("c/merges.txt", "");

  ASSERT_EQ(convert("c", "d").status, 0);

  EXPECT_EQ(read_file(path("d/vocab.json")), "{}");
  EXPECT_TRUE(fs::exists(path("d/merges.txt")));
}

TEST_F(ConvertCommand, AFullDiskIsAFailureThatLeavesNothing) {
  const CommandResult result =
      run_command({"/bin/sh", "-c",
                   "ulimit -f 1; trap '' XFSZ; exec " WEFT_BINARY " convert --from " + path("run") +
                       " --to " + path("new")});

  EXPECT_EQ(result.status, 1) << result.err;
  EXPECT_TRUE(mentions(result.err, {"weft: error: [file.write]", "model.safetensors"}));
  EXPECT_FALSE(fs::exists(path("new")));
}

TEST_F(ConvertCommand, InspectSurvivesLinksThatLeadNowhere) {
  ASSERT_EQ(convert("run", "c").status, 0);
  fs::create_symlink("loop", path("c/loop"));
  fs::create_symlink("nowhere", path("c/dangling"));

  const CommandResult result = weft({"inspect", path("c")});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(mentions(result.out, {"Hugging Face model", "whole"}));
}

TEST_F(ConvertCommand, ItsFlagsAreRequired) {
  EXPECT_TRUE(is_input_error(weft({"convert"}), {"[convert] --from is required"}));
  EXPECT_TRUE(is_input_error(weft({"convert", "--from", "x"}), {"--to is required"}));
  EXPECT_TRUE(is_input_error(weft({"convert", "--from=x", "--to=y", "--dtype=fp16"}),
                             {"--dtype", "use fp32, bf16"}));
  EXPECT_TRUE(is_input_error(convert("absent", "new"), {"absent does not exist"}));
}

}  // namespace
}  // namespace weft
