#include "formats/model_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "formats/hf_model.h"
#include "formats/llmc_model.h"
#include "formats/test_model.h"
#include "support/error_of.h"
#include "support/special_files.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr Config kConfig = {.L = 1, .NH = 2, .C = 6, .T = 3, .V = 11};

void expect_reads(const fs::path& path, const Config& config = kConfig) {
  TestModel expected = filled_model(config);
  TestModel model(config);

  EXPECT_EQ(read_model_config(path), config) << path;
  read_model_weights(path, model.view());

  expect_equal_weights(model, expected);
}

void write_checkpoint(const fs::path& directory, const Config& config) {
  write_hf_model(directory, filled_model(config).view(), 0);
}

std::string find_error(const fs::path& path) {
  return error_of([&] { find_model(path); });
}

TEST(ModelFiles, ReadsAnLlmcFile) {
  const TempDirectory dir;
  write_llmc_model(dir / "model.bin", filled_model(kConfig).view());

  expect_reads(dir / "model.bin");
}

TEST(ModelFiles, ReadsADirectoryAndTheSafetensorsFileInIt) {
  const TempDirectory dir;
  write_checkpoint(dir.path(), kConfig);

  expect_reads(dir.path());
  expect_reads(dir / "model.safetensors");
}

// transformers would give it a head of random weights.
TEST(ModelFiles, RefusesAModelWhoseOwnHeadIsMissing) {
  const TempDirectory dir;
  write_checkpoint(dir.path(), kConfig);
  nlohmann::json config = nlohmann::json::parse(read_file(dir / "config.json"));
  config["tie_word_embeddings"] = false;
  dir.write("config.json", config.dump());

  for (const fs::path& path : {dir.path(), dir / "model.safetensors"}) {
    EXPECT_TRUE(mentions(error_of([&] { open_model(path); }),
                         {"tie_word_embeddings = false", "does not hold lm_head.weight"}));
  }
}

TEST(ModelFiles, ATiedModelNeedNotSaySo) {
  const TempDirectory dir;
  write_checkpoint(dir.path(), kConfig);
  nlohmann::json config = nlohmann::json::parse(read_file(dir / "config.json"));
  config.erase("tie_word_embeddings");
  dir.write("config.json", config.dump());

  expect_reads(dir.path());
}

TEST(ModelFiles, ReadsTheNewestCheckpointOfARun) {
  const TempDirectory dir;
  // The number counts, not the text: 9 < 100 < 1000.
  for (const int64_t step : {9, 1000, 100}) {
    Config config = kConfig;
    config.T = step;
    write_checkpoint(dir / ("checkpoints/step_" + std::to_string(step)), config);
  }
  Config newest = kConfig;
  newest.T = 1000;

  expect_reads(dir.path(), newest);
  EXPECT_EQ(find_model(dir.path()).path, dir / "checkpoints/step_1000");
}

TEST(ModelFiles, PassesOverWhatIsNotACompleteCheckpoint) {
  const TempDirectory dir;
  write_checkpoint(dir / "checkpoints/step_00000007", kConfig);
  write_checkpoint(dir / "checkpoints/step_00000008.partial", kConfig);
  write_checkpoint(dir / "checkpoints/step_", kConfig);
  write_checkpoint(dir / "checkpoints/step_99999999999999999999", kConfig);  // not 64 bits
  write_checkpoint(dir / "checkpoints/step_00000009", kConfig);
  fs::remove(dir / "checkpoints/step_00000009/model.safetensors");
  dir.write("checkpoints/step_00000010", "a file");

  EXPECT_EQ(newest_checkpoint(dir.path()), dir / "checkpoints/step_00000007");
}

TEST(ModelFiles, FindsNoCheckpointWhereThereIsNone) {
  const TempDirectory dir;
  EXPECT_EQ(newest_checkpoint(dir.path()), fs::path());

  fs::create_directories(dir / "checkpoints/step_00000001");
  EXPECT_EQ(newest_checkpoint(dir.path()), fs::path());
}

TEST(ModelFiles, SaysWhyAPathIsNoModel) {
  const TempDirectory dir;

  EXPECT_TRUE(mentions(find_error(dir / "missing"), {"[model.find]", "missing", "llm.c"}));
  EXPECT_TRUE(mentions(find_error(dir.write("notes.txt", "")), {"notes.txt", ".safetensors"}));
  EXPECT_TRUE(mentions(find_error(dir.path()), {"neither config.json nor checkpoints"}));
  fs::create_directories(dir / "checkpoints");
  EXPECT_TRUE(mentions(find_error(dir.path()), {"run directory without a complete checkpoint"}));
}

TEST(ModelFiles, SaysWhatStandsWhereAFileIsMeant) {
  for (const SpecialFile& special : special_files()) {
    const TempDirectory dir;
    special.make(dir / "config.json");
    EXPECT_TRUE(mentions(error_of([&] { read_model_config(dir.path()); }),
                         {"config.json", special.reason}));
  }
  const TempDirectory dir;
  fs::create_symlink("loop.bin", dir / "loop.bin");
  fs::create_symlink("nowhere", dir / "dangling.bin");
  ASSERT_EQ(mkfifo((dir / "pipe.bin").c_str(), 0600), 0);
  EXPECT_TRUE(mentions(find_error(dir / "loop.bin"), {"Too many levels of symbolic links"}));
  EXPECT_TRUE(mentions(find_error(dir / "dangling.bin"), {"does not exist"}));
  EXPECT_TRUE(mentions(find_error(dir / "pipe.bin"), {"neither a file nor a directory"}));
}

TEST(ModelFiles, FindsTheTokenizerFilesThatThereAre) {
  const TempDirectory dir;
  write_checkpoint(dir.path(), kConfig);
  EXPECT_TRUE(tokenizer_files_beside(dir.path()).empty());

  for (const char* name : {"merges.txt", "tokenizer.json", "notes.txt"}) dir.write(name, "");

  EXPECT_EQ(tokenizer_files_beside(dir.path()),
            (std::vector{dir / "tokenizer.json", dir / "merges.txt"}));
}

TEST(ModelFiles, FindsTheTokenizerBesideEachKindOfModel) {
  const TempDirectory dir;
  write_checkpoint(dir.path(), kConfig);
  write_llmc_model(dir / "model.bin", filled_model(kConfig).view());
  EXPECT_EQ(find_tokenizer_beside(dir.path()), "");

  dir.write("tokenizer.json", "{}");
  EXPECT_EQ(find_tokenizer_beside(dir.path()), dir.path());
  EXPECT_EQ(find_tokenizer_beside(dir / "model.safetensors"), dir.path());
  EXPECT_EQ(find_tokenizer_beside(dir / "model.bin"), dir.path());
}

}  // namespace
}  // namespace weft
