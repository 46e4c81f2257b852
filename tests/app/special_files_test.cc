// Every flag that names a file, where something else stands: a directory, a pipe that nobody writes
// to, links in a circle, a link to nowhere.
#include "support/special_files.h"

#include <gtest/gtest.h>

#include "app/weft_command.h"

namespace weft {
namespace {

class SpecialFiles : public WeftCommand {
 protected:
  // The commands that read the file at `path`, in each place where they take one.
  std::vector<std::vector<std::string>> commands(const std::string& path) const {
    const std::string text = this->path("text.txt"), run = this->path("run");
    return {
        {"train", "--config", path},
        {"train", "--data", path, "--out", run},
        {"train", "--data", text, "--val", path, "--out", run},
        {"train", "--data", text, "--tokenizer", path, "--out", run},
        {"train", "--data", text, "--init", path, "--out", run},
        {"generate", "--model", path},
        {"generate", "--model", this->path("trained"), "--prompt-file", path},
        {"eval", "--model", path, "--data", text},
        {"eval", "--model", this->path("trained"), "--data", path},
        {"eval", "--model", this->path("trained"), "--hellaswag", path},
        {"convert", "--from", path, "--to", this->path("to.bin")},
        {"tokenize", path, "--tokenizer", "bytes", "--out", this->path("x.bin")},
        {"tokenize", "--decode", path, "--tokenizer", "bytes"},
        {"tokenizer", "train", path, "--vocab-size", "300", "--out", this->path("bpe")},
        {"inspect", path},
    };
  }
};

TEST_F(SpecialFiles, AreRefusedInOneLineThatNamesThem) {
  write_text();
  ASSERT_EQ(weft(training({"--steps", "1"})).status, 0);
  std::filesystem::rename(path("run"), path("trained"));
  int made = 0;
  for (const SpecialFile& special : special_files()) {
    const std::string name = "special" + std::to_string(made++);
    special.make(path(name));
    for (const std::vector<std::string>& arguments : commands(path(name))) {
      SCOPED_TRACE(special.reason + ": " + arguments[0] + " " + arguments[1]);

      EXPECT_TRUE(is_input_error(weft(arguments), {name}));
    }
  }
}

}  // namespace
}  // namespace weft
