#include <fstream>

#include "app/weft_command.h"

namespace weft {
namespace {

class ReportCommand : public WeftCommand {
 protected:
  void train() {
    write_text();
    const CommandResult run = weft(training(
        {"--steps", "3", "--val-every", "1", "--sample-every", "3", "--trace", path("step.json")}));
    ASSERT_EQ(run.status, 0) << run.err;
  }
};

TEST_F(ReportCommand, WritesThePageIntoTheRunDirectory) {
  train();

  const CommandResult result = weft({"report", path("run"), "--trace", path("step.json")});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, path("run/report.html") + "\n");
  const std::string page = read_file(path("run/report.html"));
  EXPECT_TRUE(mentions(page, {"<!doctype html>", "\"loss\":[", "run: step.json", "worker 0",
                              "attention/forward", "batch-size"}));
}

TEST_F(ReportCommand, FindsTracesThatLieInTheRunDirectory) {
  train();
  std::filesystem::rename(path("step.json"), path("run/step.json"));
  directory_.write("run/other.json", "{}");

  const CommandResult result = weft({"report", path("run"), "--out", path("page.html")});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(mentions(read_file(path("page.html")), {"run: step.json"}));
}

TEST_F(ReportCommand, ATraceAloneHasItsPageBesideIt) {
  train();

  const CommandResult result = weft({"report", path("step.json")});

  EXPECT_EQ(result.out, path("step.html") + "\n") << result.err;
  EXPECT_TRUE(mentions(read_file(path("step.html")), {"attention/forward"}));
}

TEST_F(ReportCommand, NotesALogThatBreaksOff) {
  train();
  std::ofstream(path("run/metrics.jsonl"), std::ios::app) << R"({"kind":"tra)";

  const CommandResult result = weft({"report", path("run")});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(mentions(read_file(path("run/report.html")), {"breaks off"}));
}

TEST_F(ReportCommand, SaysWhatIsWrongWithItsInput) {
  train();
  std::filesystem::create_directory(path("empty"));
  std::filesystem::create_directory(path("broken"));
  directory_.write("broken/metrics.jsonl", "{\"kind\":\"run\"}\nnonsense\n");

  EXPECT_TRUE(is_input_error(weft({"report"}), {"PATH", "run directory"}));
  EXPECT_TRUE(is_input_error(weft({"report", path("nowhere")}), {"nowhere"}));
  EXPECT_TRUE(is_input_error(weft({"report", path("empty")}), {"empty", "metrics.jsonl"}));
  EXPECT_TRUE(is_input_error(weft({"report", path("broken")}), {"metrics.jsonl: line 2"}));
  EXPECT_TRUE(is_input_error(weft({"report", path("text.txt")}), {"text.txt", "byte"}));
  EXPECT_TRUE(
      is_input_error(weft({"report", path("run"), "--trace", path("step.json"), path("step.json")}),
                     {"--trace", "2 traces of 1 runs"}));
  EXPECT_TRUE(is_input_error(weft({"report", path("run"), "--out", path("run")}), {"--out"}));
  EXPECT_TRUE(is_input_error(
      weft({"report", path("run"), "--trace", path("step.json"), "--out", path("step.json")}),
      {"--out", "step.json"}));
}

}  // namespace
}  // namespace weft
