#include "app/cli/config_file.h"

#include <gtest/gtest.h>

#include "app/cli/options.h"
#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

struct Values {
  explicit Values() {
    options.texts("--data", data, "PATH", "");
    options.text("--out", out, "DIR", "");
    options.integer("--steps", steps, {1, 100}, "");
    options.real("--lr", lr, {0., 1.}, "");
    options.flag("--shuffle,!--no-shuffle", shuffle, "");
    options.configurable();
  }

  Options options{"test", "A test."};
  std::vector<std::string> data;
  std::string out;
  int64_t steps = 0;
  double lr = 0.1;
  bool shuffle = true;
};

class ConfigFileTest : public testing::Test {
 protected:
  // Reads a file with this content; more arguments may follow.
  std::string read(Values& values, const std::string& content, Arguments more = {}) {
    more.insert(more.begin(), {"--config", directory_.write("config.toml", content).string()});
    return error_of([&] { values.options.parse(more); });
  }

  TempDirectory directory_;
};

TEST_F(ConfigFileTest, ReadsBackWhatItWrites) {
  const std::vector<std::string> awkward = {"a b.txt",        "x#y",  "\"q\"",      "back\\slash",
                                            "tab\tnew\nline", "it's", "[a-c]*.bin", "12",
                                            "true",           ""};
  Values written, read_back;
  Arguments arguments = {"--out", "runs/x=1,y", "--steps", "7", "--no-shuffle", "--data"};
  arguments.insert(arguments.end(), awkward.begin(), awkward.end());
  written.options.parse(arguments);

  EXPECT_EQ(read(read_back, written.options.to_toml()), "");

  EXPECT_EQ(read_back.data, awkward);
  EXPECT_EQ(read_back.out, "runs/x=1,y");
  EXPECT_EQ(read_back.steps, 7);
  EXPECT_FALSE(read_back.shuffle);
  EXPECT_EQ(read_back.options.to_toml(), written.options.to_toml());
}

TEST_F(ConfigFileTest, WritesDefaultsButNotWhatWasNeverSet) {
  Values values;

  EXPECT_EQ(values.options.to_toml(), "lr = 0.1\nshuffle = true\n");
}

TEST_F(ConfigFileTest, ReadsTomlAsPeopleWriteIt) {
  Values values;

  EXPECT_EQ(read(values,
                 "# a comment\n\n  steps=12   # more\n"
                 "data = [ 'C:\\x' , \"b\", ]\r\nshuffle = false\nlr = 2.5e-1"),
            "");

  EXPECT_EQ(values.steps, 12);
  EXPECT_EQ(values.data, (std::vector<std::string>{"C:\\x", "b"}));
  EXPECT_FALSE(values.shuffle);
  EXPECT_EQ(values.lr, 0.25);
}

TEST_F(ConfigFileTest, ReadsArraysOverSeveralLinesAndEscapesOfToml) {
  Values values;

  EXPECT_EQ(
      read(values,
           "data = [\n  \"a\",  # the first\n  'b',\n\n]\nout = \"\\u0041\\r\"\nsteps = 1_0\n"),
      "");

  EXPECT_EQ(values.data, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(values.out, "A\r");
  EXPECT_EQ(values.steps, 10);
}

TEST_F(ConfigFileTest, NumbersKeepTheirDigits) {
  Values values;

  EXPECT_EQ(read(values, "data = [\"é\", 12, 1e3, -0.50]\nlr = 2.50e-1\n"), "");

  EXPECT_EQ(values.data, (std::vector<std::string>{"é", "12", "1e3", "-0.50"}));
  EXPECT_EQ(values.options.to_toml(),
            "data = [\"é\", 12, 1e3, -0.50]\nlr = 2.50e-1\nshuffle = true\n");
}

TEST_F(ConfigFileTest, QuotesNumbersThatTomlDoesNotKnow) {
  Values written, read_back;
  written.options.parse({"--lr", ".5", "--steps", "007", "--out", "18446744073709551615"});

  const std::string toml = written.options.to_toml();

  EXPECT_EQ(toml, "out = \"18446744073709551615\"\nsteps = \"007\"\nlr = \".5\"\nshuffle = true\n");
  EXPECT_EQ(read(read_back, toml), "");
  EXPECT_EQ(read_back.steps, 7);
  EXPECT_EQ(read_back.lr, 0.5);
}

// They wrote every number without quotes.
TEST_F(ConfigFileTest, ReadsFilesOfVersionsBeforeToml) {
  Values values;

  EXPECT_EQ(
      read(values,
           "data = [\"a b\"]\nout = 18446744073709551615\nsteps = 007\nlr = .5\nshuffle = false\n"),
      "");

  EXPECT_EQ(values.out, "18446744073709551615");
  EXPECT_EQ(values.steps, 7);
  EXPECT_EQ(values.lr, 0.5);
  EXPECT_FALSE(values.shuffle);
}

TEST_F(ConfigFileTest, TheCommandLineWins) {
  Values values;

  EXPECT_EQ(read(values, "steps = 12\nlr = 0.5\nshuffle = false\n", {"--steps", "3", "--shuffle"}),
            "");

  EXPECT_EQ(values.steps, 3);
  EXPECT_EQ(values.lr, 0.5);
  EXPECT_TRUE(values.shuffle);
}

TEST_F(ConfigFileTest, ErrorsNameTheLine) {
  const auto error = [&](const std::string& content) {
    Values values;
    return read(values, content);
  };

  EXPECT_TRUE(mentions(error("\nstpes = 3\n"), {"line 2", "stpes", "did you mean steps?"}));
  EXPECT_TRUE(mentions(error("[train]\n"), {"line 1", "sections"}));
  EXPECT_TRUE(mentions(error("steps\n"), {"line 1", "'='"}));
  EXPECT_TRUE(mentions(error("steps 3\n"), {"line 1", "'='"}));
  EXPECT_TRUE(mentions(error("steps =\n"), {"line 1", "expected value"}));
  EXPECT_TRUE(mentions(error("steps = 1\nlr = 0.5\nsteps = 2\n"), {"line 3", "'steps'"}));
  EXPECT_TRUE(mentions(error("out = runs\n"), {"line 1", "value", "quotes"}));
  EXPECT_TRUE(mentions(error("out = \"runs\n"), {"line 1", "string"}));
  EXPECT_TRUE(mentions(error("out = \"\\x\"\n"), {"line 1", "escape"}));
  EXPECT_TRUE(mentions(error("out = \"a\" \"b\"\n"), {"line 1", "expected"}));
  EXPECT_TRUE(mentions(error("data = [\"a\"\n"), {"line 1", "array"}));
  EXPECT_TRUE(mentions(error("out = 2026-01-01\n"), {"line 1", "neither", "quotes"}));
  EXPECT_TRUE(mentions(error("data = [[1]]\n"), {"line 1", "neither"}));
  EXPECT_TRUE(mentions(error("steps.a = 1\n"), {"line 1", "sections"}));
  EXPECT_TRUE(mentions(error("config = \"x\"\n"), {"line 1", "command line"}));
  EXPECT_TRUE(mentions(error("steps = 0\n"), {"--steps: 0"}));
  EXPECT_TRUE(mentions(error("shuffle = 3\n"), {"line 1", "shuffle is either"}));
  EXPECT_TRUE(mentions(error(std::string("\0\1\2 \xff", 5)), {"line 1"}));
}

TEST_F(ConfigFileTest, AMissingFileIsAnError) {
  Values values;

  const std::string message = error_of([&] {
    values.options.parse({"--config", (directory_ / "absent").string()});
  });

  EXPECT_TRUE(mentions(message, {"--config"}));
}

}  // namespace
}  // namespace weft
