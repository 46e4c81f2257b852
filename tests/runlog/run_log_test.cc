#include "runlog/run_log.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/error_of.h"

namespace weft {
namespace {

const std::string kRun = R"({"kind":"run","model":"L=1,NH=1,C=1,T=2,V=258","ranks":1})";

std::string step_line(int step, int tokens, const std::string& more = R"("loss":1.5,"lr":0.1)") {
  return R"({"kind":"train","step":)" + std::to_string(step) + R"(,"tokens":)" +
         std::to_string(tokens) + "," + more + "}";
}

RunLog read(const std::string& text) { return read_run_log(text, "run/metrics.jsonl"); }

TEST(RunLog, ReadsEveryKindOfLine) {
  const RunLog log = read(kRun + "\n" + step_line(1, 8) + "\n" + step_line(2, 16) + "\n" +
                          R"({"kind":"val","step":2,"loss":1.25})" + "\n" +
                          R"({"kind":"sample","step":2,"text":"upon a"})" + "\n" +
                          R"({"kind":"checkpoint","step":2,"path":"p"})" + "\n");

  EXPECT_EQ(log.run, kRun);
  EXPECT_EQ(log.parts, 1);
  EXPECT_EQ(log.steps.step, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(log.steps.tokens, (std::vector<int64_t>{8, 16}));
  EXPECT_EQ(log.steps.loss, (std::vector<double>{1.5, 1.5}));
  ASSERT_EQ(log.validations.size(), 1u);
  EXPECT_EQ(log.validations[0].loss, 1.25);
  ASSERT_EQ(log.samples.size(), 1u);
  EXPECT_EQ(log.samples[0].text, "upon a");
  EXPECT_TRUE(log.note.empty());
}

TEST(RunLog, OfAResumedRunTheLastRunLineCounts) {
  const RunLog log = read(kRun + "\n" + step_line(1, 8) + "\n" + R"({"kind":"run","ranks":2})" +
                          "\n" + step_line(2, 16) + "\n");

  EXPECT_EQ(log.run, R"({"kind":"run","ranks":2})");
  EXPECT_EQ(log.parts, 2);
  EXPECT_EQ(log.steps.rows(), 2u);
}

TEST(RunLog, NumbersThatAreNullOrMissingAreNaN) {
  const RunLog log = read(step_line(1, 8, R"("loss":null)") + "\n");

  EXPECT_TRUE(std::isnan(log.steps.loss[0]));
  EXPECT_TRUE(std::isnan(log.steps.grad_norm[0]));
}

TEST(RunLog, NotesALastLineThatBreaksOff) {
  const RunLog log = read(step_line(1, 8) + "\n" + R"({"kind":"train","step":2,"los)");

  EXPECT_EQ(log.steps.rows(), 1u);
  EXPECT_TRUE(mentions(log.note, {"run/metrics.jsonl: line 2", "breaks off"}));
}

TEST(RunLog, AWholeLastLineNeedsNoEnd) {
  const RunLog log = read(step_line(1, 8));

  EXPECT_EQ(log.steps.rows(), 1u);
  EXPECT_TRUE(log.note.empty());
}

TEST(RunLog, AnEmptyFileIsARunThatHasJustBegun) { EXPECT_EQ(read("").steps.rows(), 0u); }

TEST(RunLog, NamesTheLineThatIsWrong) {
  const auto error_in_line_2 = [](const std::string& line) {
    return error_of([&] { read(kRun + "\n" + line + "\n"); });
  };

  for (const std::string line :
       {R"({"kind":"train","step":2,"los)", "[]", "{}", R"({"kind":1})", "",
        R"({"kind":"train","step":-1,"tokens":1})", R"({"kind":"train","step":1.5,"tokens":1})",
        R"({"kind":"train","step":1})", R"({"kind":"train","step":1,"tokens":1,"loss":"low"})",
        R"({"kind":"train","step":18446744073709551615,"tokens":1})", R"({"kind":"val","loss":1})",
        R"({"kind":"sample","step":1,"text":[]})"}) {
    EXPECT_TRUE(mentions(error_in_line_2(line), {"[report] run/metrics.jsonl: line 2 "})) << line;
  }
}

TEST(RunLog, RefusesStepsAndTokensThatFallBack) {
  const auto error = [](const std::string& first, const std::string& second) {
    return error_of([&] { read(first + "\n" + second + "\n"); });
  };

  EXPECT_TRUE(mentions(error(step_line(2, 8), step_line(1, 16)), {"line 2", "less", "\"step\""}));
  EXPECT_TRUE(mentions(error(step_line(2, 8), step_line(2, 16)), {"line 2", "repeats"}));
  EXPECT_TRUE(mentions(error(step_line(1, 8), step_line(2, 7)), {"line 2", "less", "\"tokens\""}));
}

}  // namespace
}  // namespace weft
