#include "formats/model_target.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "formats/hf_formats.h"
#include "formats/hf_model.h"
#include "formats/llmc_model.h"
#include "formats/model_files.h"
#include "formats/test_model.h"
#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr Config kConfig = {.L = 11, .NH = 1, .C = 3, .T = 2, .V = 5};
constexpr bool kKeep = false, kReplace = true;

void convert(const fs::path& from, const fs::path& to, DType dtype = DType::F32,
             bool replace = kKeep) {
  const std::unique_ptr<ModelReader> source = open_model(from);
  TestModel model(source->table().config());
  read_all(*source, model.view());
  const ModelTarget target(to);
  target.check(*source, tokenizer_files_beside(from), replace);
  target.write({.table = model.table(),
                .values_of = values_of(model.view()),
                .end_of_text = read_end_of_text(from),
                .dtype = dtype,
                .tokenizer_files = tokenizer_files_beside(from)});
}

std::string convert_error(const fs::path& from, const fs::path& to, bool replace = kKeep) {
  try {
    convert(from, to, DType::F32, replace);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return {};
}

std::set<std::string> names_in(const fs::path& directory) {
  std::set<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

// Everything but the transformation: a source of each kind in a directory of its own.
class ModelTargetTest : public testing::Test {
 protected:
  ModelTargetTest() {
    for (const char* name : {"bin", "st", "hf"}) fs::create_directories(dir_ / name);
    write_llmc_model(llmc_, filled_model(kConfig).view());
    write_hf_model(dir_ / "st", filled_model(kConfig).view(), 4);
    fs::rename(dir_ / "st/model.safetensors", file_);
    fs::remove(dir_ / "st/generation_config.json");
    write_hf_model(hf_, filled_model(kConfig).view(), 4);
  }

  TempDirectory dir_;
  const fs::path llmc_ = dir_ / "bin/a.bin", file_ = dir_ / "st/a.safetensors", hf_ = dir_ / "hf";
};

// ---- Every pair of formats ---------------------------------------------------------------------

TEST_F(ModelTargetTest, EveryPairOfFormatsKeepsEveryBit) {
  for (const Config& config : odd_configs()) {
    TestModel model = filled_model(config);
    const TempDirectory dir;
    write_llmc_model(dir / "0.bin", model.view());
    fs::create_directories(dir / "st");
    convert(dir / "0.bin", dir / "0");
    convert(dir / "0.bin", dir / "st/0.safetensors");

    for (const char* from : {"0.bin", "st/0.safetensors", "0"}) {
      for (const char* to : {"1.bin", "st/1.safetensors", "1"}) {
        convert(dir / from, dir / to, DType::F32, kReplace);

        TestModel read(config);
        read_model_weights(dir / to, read.view());
        expect_equal_weights(read, model);
      }
    }
    EXPECT_EQ(read_file(dir / "1.bin"), read_file(dir / "0.bin"));
    EXPECT_EQ(read_file(dir / "1/model.safetensors"), read_file(dir / "0/model.safetensors"));
    EXPECT_EQ(read_file(dir / "st/1.safetensors"), read_file(dir / "0/model.safetensors"));
  }
}

TEST_F(ModelTargetTest, TheKindOfTheTargetFollowsItsName) {
  EXPECT_EQ(&ModelTarget("a.bin").format(), &llmc_format());
  EXPECT_EQ(&ModelTarget("a.safetensors").format(), &safetensors_format());
  EXPECT_EQ(&ModelTarget("a").format(), &hf_directory_format());
  EXPECT_EQ(&ModelTarget("a.bin/").format(), &hf_directory_format());
  EXPECT_EQ(&ModelTarget("a.bin.d").format(), &hf_directory_format());
  EXPECT_EQ(&ModelTarget("v1.0").format(), &hf_directory_format());
}

TEST_F(ModelTargetTest, ADirectoryHoldsWhatHuggingFaceExpectsAndNothingElse) {
  fs::create_directories(dir_ / "bin");
  dir_.write("bin/vocab.json", "{}");
  dir_.write("bin/merges.txt", "m");
  dir_.write("bin/notes.txt", "not of the model");

  convert(llmc_, dir_ / "new/model/");

  EXPECT_EQ(names_in(dir_ / "new/model"),
            (std::set<std::string>{"config.json", "generation_config.json", "model.safetensors",
                                   "vocab.json", "merges.txt"}));
  EXPECT_EQ(read_file(dir_ / "new/model/merges.txt"), "m");
  EXPECT_NE(read_file(dir_ / "new/model/config.json").find("\"attn_pdrop\": 0.0"),
            std::string::npos);
}

TEST_F(ModelTargetTest, ALoneSafetensorsFileGetsItsConfig) {
  fs::create_directories(dir_ / "new");

  convert(llmc_, dir_ / "new/a.safetensors");

  EXPECT_EQ(names_in(dir_ / "new"), (std::set<std::string>{"a.safetensors", "config.json"}));
  EXPECT_EQ(read_model_config(dir_ / "new/a.safetensors"), kConfig);
}

TEST_F(ModelTargetTest, ASafetensorsFileLeavesAFittingConfigAlone) {
  const std::string config = read_file(hf_ / "config.json") + "\n";
  dir_.write("hf/config.json", config);

  convert(llmc_, hf_ / "another.safetensors");

  EXPECT_EQ(read_file(hf_ / "config.json"), config);
}

TEST_F(ModelTargetTest, EndOfTextComesFromConfigOrIsTheLastToken) {
  EXPECT_EQ(read_end_of_text(llmc_), 4);
  for (const auto& [json, expected] : std::map<std::string, int64_t>{{"3", 3},
                                                                     {"0", 0},
                                                                     {"5", 4},
                                                                     {"-1", 4},
                                                                     {"null", 4},
                                                                     {"[1,2]", 4},
                                                                     {"2.5", 4},
                                                                     {"99999999999999999999", 4}}) {
    nlohmann::json config = nlohmann::json::parse(read_file(hf_ / "config.json"));
    config["eos_token_id"] = nlohmann::json::parse(json);
    dir_.write("hf/config.json", config.dump());

    EXPECT_EQ(read_end_of_text(hf_), expected) << json;
  }
}

// ---- What is there already ---------------------------------------------------------------------

TEST_F(ModelTargetTest, NeverWritesOverItsSource) {
  fs::create_symlink(llmc_, dir_ / "link.bin");

  EXPECT_TRUE(mentions(convert_error(llmc_, llmc_, kReplace), {"a.bin is the model to be read"}));
  EXPECT_TRUE(mentions(convert_error(llmc_, dir_ / "bin/../bin/a.bin", kReplace), {"to be read"}));
  EXPECT_TRUE(mentions(convert_error(dir_ / "link.bin", llmc_, kReplace), {"to be read"}));
  EXPECT_TRUE(mentions(convert_error(hf_, hf_, kReplace), {"hf holds the model to be read"}));
  EXPECT_TRUE(mentions(convert_error(hf_ / "model.safetensors", hf_, kReplace), {"to be read"}));
  EXPECT_TRUE(mentions(convert_error(hf_, hf_ / "model.safetensors", kReplace), {"to be read"}));
}

TEST_F(ModelTargetTest, AFileIsReplacedOnlyOnRequest) {
  dir_.write("bin/old.bin", "old");

  EXPECT_TRUE(mentions(convert_error(hf_, dir_ / "bin/old.bin"),
                       {"[model.write]", "old.bin exists already", "--force"}));
  EXPECT_EQ(read_file(dir_ / "bin/old.bin"), "old");

  convert(hf_, dir_ / "bin/old.bin", DType::F32, kReplace);
  EXPECT_EQ(read_file(dir_ / "bin/old.bin"), read_file(llmc_));
}

TEST_F(ModelTargetTest, AModelDirectoryIsReplacedOnlyOnRequestAndThenWhole) {
  for (const char* name : {"vocab.json", "tokenizer.json", "model.safetensors.index.json"}) {
    dir_.write(std::string("hf/") + name, "of the old model");
  }
  dir_.write("hf/README.md", "the user's");
  dir_.write("bin/vocab.json", "of the new model");

  EXPECT_TRUE(mentions(convert_error(llmc_, hf_), {"hf holds a model already", "--force"}));
  EXPECT_EQ(read_file(hf_ / "vocab.json"), "of the old model");

  convert(llmc_, hf_, DType::F32, kReplace);
  EXPECT_EQ(names_in(hf_),
            (std::set<std::string>{"README.md", "config.json", "generation_config.json",
                                   "model.safetensors", "vocab.json"}));
  EXPECT_EQ(read_file(hf_ / "vocab.json"), "of the new model");
}

TEST_F(ModelTargetTest, ATokenizerStaysUnlessTheModelBringsOne) {
  dir_.write("bin/vocab.json", "of the source");
  fs::create_directories(dir_ / "tokenizer");
  dir_.write("tokenizer/merges.txt", "another's");

  EXPECT_TRUE(mentions(convert_error(llmc_, dir_ / "tokenizer"),
                       {"holds a tokenizer already (merges.txt)", "--force"}));
  convert(hf_, dir_ / "tokenizer");
  EXPECT_EQ(read_file(dir_ / "tokenizer/merges.txt"), "another's");

  convert(llmc_, dir_ / "bin");  // its own
  EXPECT_EQ(read_file(dir_ / "bin/vocab.json"), "of the source");
  EXPECT_EQ(read_model_config(dir_ / "bin"), kConfig);
}

TEST_F(ModelTargetTest, CheckpointsAndRunsAreNeverReplaced) {
  dir_.write("hf/state.json", "{}");
  fs::create_directories(dir_ / "run/checkpoints");

  EXPECT_TRUE(mentions(convert_error(llmc_, hf_, kReplace), {"is a weft checkpoint or run"}));
  EXPECT_TRUE(mentions(convert_error(llmc_, dir_ / "run", kReplace), {"checkpoint or run"}));
  EXPECT_TRUE(mentions(convert_error(llmc_, hf_ / "model.safetensors", kReplace),
                       {"is part of a weft checkpoint"}));
}

TEST_F(ModelTargetTest, RefusesTargetsThatCannotBe) {
  dir_.write("text", "a file");
  fs::create_directories(dir_ / "d.bin");
  fs::create_directories(dir_ / "odd/model.safetensors/full");
  Config other = kConfig;
  other.T = 9;
  write_hf_config(dir_.path(), other, 0);

  EXPECT_TRUE(mentions(convert_error(llmc_, dir_ / "text"), {"text is a file", ".safetensors"}));
  EXPECT_TRUE(mentions(convert_error(llmc_, dir_ / "d.bin"), {"d.bin is a directory"}));
  EXPECT_TRUE(mentions(convert_error(llmc_, dir_ / "odd", kReplace),
                       {"odd/model.safetensors is a directory", "remove it"}));
  EXPECT_TRUE(mentions(convert_error(llmc_, dir_ / "none/a.bin"), {"none is no directory"}));
  EXPECT_TRUE(mentions(convert_error(llmc_, dir_ / "a.safetensors", kReplace),
                       {"config.json is of another model", "another directory"}));
}

// ---- Failures ----------------------------------------------------------------------------------

TEST_F(ModelTargetTest, AFailureLeavesWhatWasThereAndNothingElse) {
  const std::unique_ptr<ModelReader> source = open_model(llmc_);
  const auto fail = [](const Parameter&) -> Vector<const float> {
    throw std::runtime_error("the disk is on fire");
  };
  const ModelCopy broken = {.table = source->table(), .values_of = fail, .tokenizer_files = {}};
  const std::string old_weights = read_file(hf_ / "model.safetensors");

  for (const fs::path& path : {dir_ / "new", hf_, dir_ / "new.bin", dir_ / "new.safetensors"}) {
    EXPECT_THROW(ModelTarget(path).write(broken), std::runtime_error);
  }

  EXPECT_EQ(names_in(dir_.path()), (std::set<std::string>{"bin", "st", "hf"}));
  EXPECT_EQ(names_in(hf_),
            (std::set<std::string>{"config.json", "generation_config.json", "model.safetensors"}));
  EXPECT_EQ(read_file(hf_ / "model.safetensors"), old_weights);
}

TEST_F(ModelTargetTest, RemovesWhatAKilledConversionLeft) {
  fs::create_directories(dir_ / "new/.weft-convert.partial");
  dir_.write("new/.weft-convert.partial/model.safetensors", "half");

  convert(llmc_, dir_ / "new");

  EXPECT_EQ(names_in(dir_ / "new"),
            (std::set<std::string>{"config.json", "generation_config.json", "model.safetensors"}));
}

}  // namespace
}  // namespace weft
