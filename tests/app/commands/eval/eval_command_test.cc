// weft eval beyond the mean loss: sliding windows and HellaSwag.
#include <nlohmann/json.hpp>

#include "app/weft_command.h"
#include "support/hellaswag_bytes.h"

namespace weft {
namespace {

using nlohmann::json;

class EvalCommand : public WeftCommand {
 protected:
  EvalCommand() {
    write_text();
    trained_ = weft(training({"--steps", "30", "--lr", "0.01"}));
  }

  CommandResult eval(std::vector<std::string> more) const {
    more.insert(more.begin(), {"eval", "--model", path("run")});
    return weft(more);
  }

  // "The cat" continued by " sat", or by letters that the corpus does not hold.
  std::string write_questions() const {
    const auto tokens = [](std::string_view text) { return Numbers(text.begin(), text.end()); };
    const auto question = [&](uint16_t label) {
      Question q = {.context = tokens("The c"), .completions = {}, .label = label};
      for (Numbers& completion : q.completions) completion = tokens("zqj");
      q.completions[label] = tokens("at ");
      return q;
    };
    return directory_
        .write("questions.bin", hellaswag_bytes({question(2), question(0), question(3)}))
        .string();
  }

  CommandResult trained_;
};

TEST_F(EvalCommand, ScoresEveryTokenOnceWithAStride) {
  ASSERT_EQ(trained_.status, 0) << trained_.err;
  const CommandResult touching = eval({"--data", path("text.txt")});
  const CommandResult same = eval({"--data", path("text.txt"), "--stride", "8"});
  const CommandResult sliding = eval({"--data", path("text.txt"), "--stride", "2"});

  EXPECT_EQ(touching.out, same.out);
  const json few = json::parse(touching.out), much = json::parse(sliding.out);
  EXPECT_EQ(much["tokens"], few["tokens"]);
  EXPECT_NE(much["loss"], few["loss"]);  // other contexts
}

TEST_F(EvalCommand, AnswersHellaSwag) {
  const CommandResult result = eval({"--hellaswag", write_questions(), "--batch-size", "5"});

  ASSERT_EQ(result.status, 0) << result.err;
  const json values = json::parse(result.out);
  EXPECT_EQ(values["accuracy"], 1.);
  EXPECT_EQ(values["accuracy_norm"], 1.);
  EXPECT_EQ(values["examples"], 3);
  EXPECT_FALSE(values.contains("loss"));
}

TEST_F(EvalCommand, PrintsLossAndAccuracyOnOneLineIfBothAreAskedFor) {
  const CommandResult result =
      eval({"--hellaswag", write_questions(), "--data", path("text.txt"), "--limit", "2"});

  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out.find('\n') + 1, result.out.size());
  const json values = json::parse(result.out);
  EXPECT_EQ(values["examples"], 2);
  EXPECT_EQ(values["tokens"], 1999);
}

TEST_F(EvalCommand, SaysThatContextsWereCut) {
  const CommandResult result = eval({"--hellaswag", write_questions(), "--seq-len", "6"});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(mentions(result.err, {"3 examples are longer than 6 tokens"}));
}

TEST_F(EvalCommand, NeedsSomethingToEvaluate) {
  EXPECT_TRUE(is_input_error(eval({}), {"--data is required"}));
  EXPECT_TRUE(is_input_error(eval({"--hellaswag", path("text.txt")}), {"not a HellaSwag file"}));
  EXPECT_EQ(eval({"--hellaswag", write_questions(), "--stride", "2"}).status, 2);
  EXPECT_EQ(eval({"--data", path("text.txt"), "--limit", "2"}).status, 2);
  EXPECT_EQ(eval({"--data", path("text.txt"), "--stride", "9"}).status, 2);
}

}  // namespace
}  // namespace weft
