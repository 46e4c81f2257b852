#include "run/checkpoint.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "data/small_vocabulary.h"
#include "formats/checksum.h"
#include "formats/model_files.h"
#include "run/checkpoint_policy.h"
#include "step/random_state.h"
#include "support/error_of.h"
#include "support/file_size_limit.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr Config kConfig = {.L = 2, .NH = 3, .C = 15, .T = 7, .V = 131};

RunState odd_state(int64_t step) {
  return {.step = step,
          .tokens = int64_t{1} << 40,
          .elapsed_s = 1. / 3.,
          .seed = std::numeric_limits<uint64_t>::max(),
          .shuffle = false,
          .T = 7,
          .sequences_per_step = 11,
          .data_fingerprint = 0x0123456789abcdef,
          .schedule = "kind \"0\"\n",
          .optimizer = "beta1 0.9",
          .batching = "B 3"};
}

std::string step_name(int64_t step) {
  const std::string digits = std::to_string(step);
  return "step_" + std::string(8 - std::min<size_t>(8, digits.size()), '0') + digits;
}

// A run directory and what its checkpoints hold: the one of step s holds the weights of seed s.
class CheckpointTest : public testing::Test {
 protected:
  fs::path write(int64_t step, int64_t keep = 0) {
    const TrainingState state = random_state(kConfig, uint64_t(step));
    fs::path path = write_checkpoint(run(), odd_state(step), state, nullptr);
    prune_checkpoints(run(), path, keep);
    return path;
  }

  const fs::path& run() const { return dir_.path(); }
  fs::path checkpoints() const { return run() / "checkpoints"; }
  fs::path checkpoint(int64_t step) const { return checkpoints() / step_name(step); }

  std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : fs::directory_iterator(checkpoints())) {
      found.insert(entry.path().filename());
    }
    return found;
  }

  // The step of the newest good checkpoint, or 0; messages about others go to skipped_.
  int64_t newest() {
    skipped_.clear();
    const auto found =
        newest_good_checkpoint(run(), [&](const std::string& m) { skipped_.push_back(m); });
    return found ? found->state.step : 0;
  }

  // Two checkpoints, of which `damage` hits the newer one.
  template <typename Damage>
  void expect_falls_back(const Damage& damage, std::initializer_list<std::string_view> reason) {
    write(2);
    damage(write(4));

    EXPECT_EQ(newest(), 2);
    ASSERT_EQ(skipped_.size(), 1u);
    EXPECT_TRUE(mentions(skipped_[0], {"step_00000004"}));
    EXPECT_TRUE(mentions(skipped_[0], reason));
  }

  TempDirectory dir_;
  std::vector<std::string> skipped_;
};

void flip_a_byte(const fs::path& path) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  const auto middle = static_cast<std::streamoff>(fs::file_size(path) / 2);
  const int byte = file.seekg(middle).get();
  file.seekp(middle).put(static_cast<char>(byte ^ 1));
}

void overwrite(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

template <typename Edit>
void edit_state(const fs::path& checkpoint, const Edit& edit) {
  nlohmann::json state = nlohmann::json::parse(read_file(checkpoint / "state.json"));
  edit(state);
  overwrite(checkpoint / "state.json", state.dump());
}

TEST_F(CheckpointTest, ReadsBackToTheSameBits) {
  const fs::path path = write(12);
  const TrainingState expected = random_state(kConfig, 12);

  const auto found =
      newest_good_checkpoint(run(), [](const std::string& m) { ADD_FAILURE() << m; });
  ASSERT_TRUE(found.has_value());
  TrainingState state(kConfig);
  read_checkpoint(*found, state);

  EXPECT_EQ(found->path, path);
  EXPECT_EQ(path.filename(), "step_00000012");
  EXPECT_EQ(found->state, odd_state(12));
  expect_same_bits(state.weights, expected.weights);
  expect_same_optimizer_state(state, expected);
}

TEST_F(CheckpointTest, IsAModelThatOtherCommandsRead) {
  const fs::path path = write(12);
  const TrainingState expected = random_state(kConfig, 12);

  for (const fs::path& place : {path, run()}) {
    TrainingState state(kConfig);
    EXPECT_EQ(read_model_config(place), kConfig);
    read_model_weights(place, state.weights);
    expect_same_bits(state.weights, expected.weights);
  }
}

TEST_F(CheckpointTest, HoldsTheTokenizer) {
  const TempDirectory vocabulary;
  SmallVocabulary().write(vocabulary);
  const std::unique_ptr<Tokenizer> bpe = open_tokenizer(vocabulary.path());
  const TrainingState state = random_state(kConfig, 1);

  const fs::path path = write_checkpoint(run(), odd_state(1), state, bpe.get());

  EXPECT_EQ(open_tokenizer(path)->encode("hello world"), bpe->encode("hello world"));
  EXPECT_EQ(newest(), 1);
}

TEST_F(CheckpointTest, ReplacesOneOfTheSameStep) {
  write(3);
  const TrainingState other = random_state(kConfig, 99);

  write_checkpoint(run(), odd_state(3), other, nullptr);

  TrainingState state(kConfig);
  read_model_weights(checkpoint(3), state.weights);
  expect_same_bits(state.weights, other.weights);
  EXPECT_EQ(names(), (std::set<std::string>{"step_00000003"}));
}

TEST_F(CheckpointTest, KeepsTheNewestAndPrunesTheOldest) {
  for (const int64_t step : {2, 4, 6, 8}) write(step, 2);

  EXPECT_EQ(names(), (std::set<std::string>{"step_00000006", "step_00000008"}));
}

TEST_F(CheckpointTest, KeepsAllWhereKeepIsZero) {
  for (const int64_t step : {2, 4, 6, 8}) write(step, 0);

  EXPECT_EQ(names().size(), 4u);
}

TEST_F(CheckpointTest, ComparesStepsAsNumbers) {
  write(99999999);
  write(100000000, 1);

  EXPECT_EQ(names(), (std::set<std::string>{"step_100000000"}));
  EXPECT_EQ(newest(), 100000000);
}

// After a resume from step 4, because 6 is damaged, 6 must not push out the checkpoint of step 5.
TEST_F(CheckpointTest, NeverPrunesTheOneThatWasJustWritten) {
  for (const int64_t step : {2, 4, 6}) write(step);
  flip_a_byte(checkpoint(6) / "model.safetensors");

  const fs::path path = write(5, 1);

  EXPECT_TRUE(fs::exists(path));
  EXPECT_EQ(newest(), 5);
  EXPECT_EQ(names(), (std::set<std::string>{"step_00000005", "step_00000006"}));
}

TEST_F(CheckpointTest, SkipsATruncatedModel) {
  expect_falls_back(
      [](const fs::path& path) {
        fs::resize_file(path / "model.safetensors", fs::file_size(path / "model.safetensors") - 1);
      },
      {"model.safetensors does not have its checksum"});
}

TEST_F(CheckpointTest, SkipsAFlippedBitOfTheMoments) {
  expect_falls_back([](const fs::path& path) { flip_a_byte(path / "optimizer.safetensors"); },
                    {"optimizer.safetensors does not have its checksum"});
}

TEST_F(CheckpointTest, SkipsAChangedConfig) {
  expect_falls_back([](const fs::path& path) { flip_a_byte(path / "config.json"); },
                    {"config.json does not have its checksum"});
}

TEST_F(CheckpointTest, SkipsAMissingModel) {
  expect_falls_back([](const fs::path& path) { fs::remove(path / "model.safetensors"); },
                    {"model.safetensors"});
}

TEST_F(CheckpointTest, SkipsAMissingState) {
  expect_falls_back([](const fs::path& path) { fs::remove(path / "state.json"); }, {"state.json"});
}

TEST_F(CheckpointTest, SkipsAStateThatIsNoJson) {
  expect_falls_back([](const fs::path& path) { overwrite(path / "state.json", "\x7f garbage"); },
                    {"state.json"});
}

TEST_F(CheckpointTest, SkipsATornState) {
  expect_falls_back([](const fs::path& path) { fs::resize_file(path / "state.json", 100); },
                    {"state.json"});
}

TEST_F(CheckpointTest, SkipsAStateOfAnotherVersion) {
  expect_falls_back(
      [](const fs::path& path) {
        edit_state(path, [](nlohmann::json& state) { state["state_version"] = 2; });
      },
      {"another version"});
}

TEST_F(CheckpointTest, SkipsAStateWithAValueThatIsMissingOrOfTheWrongKind) {
  write(2);
  const fs::path path = write(4);
  const std::string good = read_file(path / "state.json");
  const auto newest_after = [&](const auto& edit) {
    overwrite(path / "state.json", good);
    edit_state(path, edit);
    return newest();
  };

  for (const char* key : {"step", "tokens", "schedule", "data", "rng", "checksums"}) {
    EXPECT_EQ(newest_after([&](nlohmann::json& state) { state[key] = {1, "x"}; }), 2) << key;
    EXPECT_EQ(newest_after([&](nlohmann::json& state) { state.erase(key); }), 2) << key;
  }
  EXPECT_EQ(newest_after([](nlohmann::json&) {}), 4);
}

// The step says which data comes next: a wrong one would repeat or skip some, a negative one would
// read outside of it.
TEST_F(CheckpointTest, SkipsAStateOfAnotherStep) {
  for (const int64_t step : {-1, 3}) {
    expect_falls_back(
        [&](const fs::path& path) {
          edit_state(path, [&](nlohmann::json& state) { state["step"] = step; });
        },
        {"state.json is of step"});
  }
}

TEST_F(CheckpointTest, SkipsAStateWithoutTheChecksumsThatMatter) {
  for (const char* name : {"model.safetensors", "optimizer.safetensors"}) {
    expect_falls_back(
        [&](const fs::path& path) {
          edit_state(path, [&](nlohmann::json& state) { state["checksums"].erase(name); });
        },
        {name, "has no checksum"});
  }
}

TEST_F(CheckpointTest, DoesNotFollowChecksumsOutOfTheDirectory) {
  const fs::path outside = dir_.write("outside", "x");
  expect_falls_back(
      [&](const fs::path& path) {
        edit_state(path, [&](nlohmann::json& state) {
          state["checksums"]["../../outside"] = file_checksum(outside);
        });
      },
      {"../../outside"});
}

TEST_F(CheckpointTest, SkipsSeveralAndSaysSoNewestFirst) {
  for (const int64_t step : {2, 4, 6}) write(step);
  flip_a_byte(checkpoint(4) / "model.safetensors");
  fs::remove(checkpoint(6) / "state.json");

  EXPECT_EQ(newest(), 2);

  ASSERT_EQ(skipped_.size(), 2u);
  EXPECT_TRUE(mentions(skipped_[0], {"step_00000006"}));
  EXPECT_TRUE(mentions(skipped_[1], {"step_00000004"}));
}

TEST_F(CheckpointTest, FindsNothingWhereNothingIsGood) {
  EXPECT_EQ(newest(), 0);  // no folder of checkpoints at all
  write(2);
  flip_a_byte(checkpoint(2) / "model.safetensors");

  EXPECT_EQ(newest(), 0);
  EXPECT_EQ(skipped_.size(), 1u);
}

TEST_F(CheckpointTest, IgnoresOtherNames) {
  write(2);
  for (const char* name :
       {"step_", "step_x", "step_-9", "step_9x", "backup", "step_9999999999999999999999"}) {
    fs::copy(checkpoint(2), checkpoints() / name);
  }
  overwrite(checkpoints() / "step_00000009", "a file");

  EXPECT_EQ(newest(), 2);
  EXPECT_TRUE(skipped_.empty());
}

TEST_F(CheckpointTest, IgnoresAndRemovesUnfinishedOnes) {
  write(2);
  const fs::path unfinished = checkpoints() / ".unfinished_step_00000004";
  fs::copy(checkpoint(2), unfinished);

  EXPECT_EQ(newest(), 2);
  EXPECT_TRUE(skipped_.empty());
  EXPECT_EQ(newest_checkpoint(run()), checkpoint(2));
  remove_unfinished_checkpoints(run());

  EXPECT_EQ(names(), (std::set<std::string>{"step_00000002"}));
}

TEST_F(CheckpointTest, RemovesNothingWhereThereIsNoRun) {
  EXPECT_NO_THROW(remove_unfinished_checkpoints(run() / "none"));
}

TEST_F(CheckpointTest, OfAnotherModelIsRefused) {
  write(2);
  const auto found = newest_good_checkpoint(run(), [](const std::string&) {});
  Config other = kConfig;
  other.L = 1;
  TrainingState state(other);

  const std::string error = error_of([&] { read_checkpoint(found.value(), state); });

  EXPECT_TRUE(mentions(error, {to_string(kConfig), to_string(other), "--model"}));
}

TEST_F(CheckpointTest, WithMomentsOfAnotherModelIsRefused) {
  write(2);
  const auto found = newest_good_checkpoint(run(), [](const std::string&) {});
  const TempDirectory elsewhere;
  const TrainingState other = random_state({.L = 2, .NH = 1, .C = 17, .T = 7, .V = 131}, 1);
  const fs::path moments =
      write_checkpoint(elsewhere.path(), odd_state(2), other, nullptr) / "optimizer.safetensors";
  fs::copy(moments, found->path / "optimizer.safetensors", fs::copy_options::overwrite_existing);
  TrainingState state(kConfig);

  const std::string error = error_of([&] { read_checkpoint(*found, state); });

  EXPECT_TRUE(mentions(error, {"m/wte", "another shape"}));
}

TEST_F(CheckpointTest, AFullDiskIsAnErrorAndEarlierOnesStay) {
  write(2, 1);

  std::string error;
  {
    const FileSizeLimit full(10000);
    error = error_of([&] { write(4, 1); });
  }

  EXPECT_TRUE(mentions(error, {"File too large"}));
  EXPECT_EQ(newest(), 2);
  EXPECT_EQ(names(), (std::set<std::string>{"step_00000002"}));
  EXPECT_EQ(write(4, 1), checkpoint(4));
}

TEST_F(CheckpointTest, ADirectoryThatCannotBeMadeIsAnError) {
  const fs::path file = dir_.write("file", "x");
  const TrainingState state = random_state(kConfig, 1);

  try {
    write_checkpoint(file, odd_state(1), state, nullptr);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailure);
    EXPECT_TRUE(mentions(error.what(), {"[checkpoint.write]", "file/checkpoints"}));
  }
}

}  // namespace
}  // namespace weft
