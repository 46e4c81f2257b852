#include "data/hellaswag.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "support/error_of.h"
#include "support/hellaswag_bytes.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

const std::vector<Question> kTwo = {
    {.context = {7, 8}, .completions = {{{1}, {2}, {3}, {4, 5}}}, .label = 3},
    {.context = {9}, .completions = {{{10, 11, 12}, {13}, {14, 15}, {16}}}, .label = 0},
};

class HellaSwagFile : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& bytes) const {
    return directory_.write("questions.bin", bytes);
  }
  std::string error(const std::string& bytes) const {
    const std::filesystem::path path = write(bytes);
    return error_of([&] { HellaSwag file(path); });
  }
  // The error of a file whose first example has one number replaced.
  std::string error_with(size_t place, uint16_t value) const {
    Numbers numbers = example_numbers(kTwo[0], 0);
    numbers[place] = value;
    return error(hellaswag_bytes(1, numbers));
  }

  TempDirectory directory_;
};

TEST_F(HellaSwagFile, HoldsWhatWasWritten) {
  const HellaSwag file(write(hellaswag_bytes(kTwo)));

  ASSERT_EQ(file.examples().size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    const HellaSwagExample& example = file.examples()[i];
    EXPECT_EQ(example.label, kTwo[i].label);
    EXPECT_EQ(Numbers(example.context.begin(), example.context.end()), kTwo[i].context);
    for (size_t c = 0; c < 4; ++c) {
      const auto& completion = example.completions[c];
      EXPECT_EQ(Numbers(completion.begin(), completion.end()), kTwo[i].completions[c]);
    }
  }
  EXPECT_EQ(file.largest_token(1), 8);
  EXPECT_EQ(file.largest_token(2), 16);
}

TEST_F(HellaSwagFile, ReadsTheWorkedExampleOfItsHeader) {
  const Numbers worked = {65535, 34, 0, 3, 4, 2, 7, 8, 1, 1, 1, 2, 1, 3, 2, 4, 5};

  const HellaSwag file(write(hellaswag_bytes(1, worked, 34)));

  EXPECT_EQ(file.examples()[0].label, 3);
  EXPECT_EQ(file.examples()[0].completions[3].size(), 2u);
}

TEST_F(HellaSwagFile, IsRefusedAtEveryLengthButItsOwn) {
  const std::string whole = hellaswag_bytes(kTwo);
  ASSERT_EQ(error(whole), "");

  EXPECT_TRUE(mentions(error(""), {"not a HellaSwag file"}));
  for (size_t bytes = 8; bytes < whole.size(); ++bytes) {
    ASSERT_TRUE(mentions(error(whole.substr(0, bytes)), {"truncated"})) << bytes;
  }
  for (size_t more = 1; more <= 3; ++more) {
    const std::string trailing = std::to_string(more) + " trailing bytes";
    EXPECT_TRUE(mentions(error(whole + std::string(more, '\0')), {trailing}));
  }
}

TEST_F(HellaSwagFile, SaysWhatIsWrongWithItsHeader) {
  const Numbers numbers = example_numbers(kTwo[0], 0);

  EXPECT_TRUE(mentions(error(hellaswag_bytes(1, numbers, 34, 20240520)),
                       {"questions.bin", "magic number 20240520, expected 20240522"}));
  EXPECT_TRUE(mentions(error(hellaswag_bytes(1, numbers, 34, 20240522, 2)), {"version 2"}));
  EXPECT_TRUE(mentions(error(hellaswag_bytes(0, {})), {"no examples"}));
  EXPECT_TRUE(mentions(error(hellaswag_bytes(-1, numbers)), {"no examples (its header says -1)"}));
  EXPECT_TRUE(mentions(error(hellaswag_bytes(2147483647, numbers)), {"truncated in example 1"}));
  EXPECT_TRUE(mentions(error(hellaswag_bytes(1, numbers, 32)),
                       {"cannot have 34 bytes (the longest has 32)"}));
}

TEST_F(HellaSwagFile, SaysWhichExampleIsDamagedAndHow) {
  EXPECT_TRUE(mentions(error_with(0, 65534), {"example 0 begins with 65534"}));
  EXPECT_TRUE(mentions(error_with(1, 33), {"cannot have 33 bytes"}));
  EXPECT_TRUE(mentions(error_with(1, 8), {"cannot have 8 bytes"}));
  EXPECT_TRUE(mentions(error_with(1, 0), {"cannot have 0 bytes"}));
  EXPECT_TRUE(mentions(error_with(1, 36), {"truncated in example 0"}));
  EXPECT_TRUE(mentions(error_with(1, 32), {"a completion of 2 tokens beyond its own bytes"}));
  EXPECT_TRUE(mentions(error_with(2, 1), {"example 0 says that it is example 1"}));
  EXPECT_TRUE(mentions(error_with(3, 4), {"label 4"}));
  EXPECT_TRUE(mentions(error_with(4, 3), {"3 completions, not 4"}));
  EXPECT_TRUE(mentions(error_with(5, 0), {"a context without tokens"}));
  EXPECT_TRUE(mentions(error_with(5, 65535), {"a context of 65535 tokens"}));
  EXPECT_TRUE(mentions(error_with(8, 0), {"a completion without tokens"}));
  EXPECT_TRUE(mentions(error_with(14, 1), {"1 numbers too many"}));
}

TEST_F(HellaSwagFile, MustBeAFile) {
  const std::filesystem::path fifo = directory_ / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);

  EXPECT_TRUE(mentions(error_of([&] { HellaSwag file(directory_ / "absent"); }), {"absent"}));
  EXPECT_TRUE(mentions(error_of([&] { HellaSwag file(directory_.path()); }), {"directory"}));
  EXPECT_TRUE(mentions(error_of([&] { HellaSwag file(fifo); }), {"not a regular file"}));
  EXPECT_FALSE(is_hellaswag(directory_ / "absent"));
  EXPECT_FALSE(is_hellaswag(directory_.path()));
}

TEST_F(HellaSwagFile, IsKnownByItsMagicNumber) {
  EXPECT_TRUE(is_hellaswag(write(hellaswag_bytes(kTwo))));
  EXPECT_FALSE(is_hellaswag(write(hellaswag_bytes(1, {}, 34, 20240520))));
  EXPECT_FALSE(is_hellaswag(write("abc")));
}

}  // namespace
}  // namespace weft
