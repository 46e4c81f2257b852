#include "run/settings_check.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "run/trainer_fixture.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

class SettingsCheckTest : public TrainerTest {};

// Wrong settings are refused before anything is written.
TEST_F(SettingsCheckTest, RefusesSettingsThatDoNotFitTogether) {
  const auto expect_refused = [&](const TrainSettings& s,
                                  std::initializer_list<std::string_view> message) {
    try {
      run(s);
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_TRUE(mentions(error.what(), message));
    }
    EXPECT_FALSE(fs::exists(s.output.directory));
  };
  TrainSettings s = settings();

  s.batches.total_tokens = 2 * kB * kT + 1;
  expect_refused(s, {"--total-batch-tokens 575", "7 x 41 x 1 = 287", "use 861"});
  s.batches.total_tokens = 1;
  expect_refused(s, {"--total-batch-tokens 1", "use 287"});

  s = settings();
  s.step.T = 54;
  expect_refused(s, {"--seq-len 54 is not in [1, 53]"});
  s.step.T = 0;
  expect_refused(s, {"--seq-len 0"});

  s = settings();
  s.step.B = 0;
  expect_refused(s, {"--batch-size"});

  s = settings();
  s.model.C = 16;
  expect_refused(s, {"C=16 is not divisible by NH=3"});

  s = settings();
  s.model.V = 100;
  expect_refused(s, {"token id 119, and V is 100"});
}

TEST_F(SettingsCheckTest, RefusesDataThatIsTooShort) {
  dataset_ = text_dataset("much too short");

  EXPECT_TRUE(mentions(error_of_run(settings()), {"too few", "--seq-len"}));
}

}  // namespace
}  // namespace weft
