// WeftCommand: the fixture of tests that run weft itself, in a directory of their own.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/files.h"
#include "support/error_of.h"
#include "support/run_command.h"
#include "support/temp_directory.h"

namespace weft {

class WeftCommand : public testing::Test {
 protected:
  static std::vector<std::string> command(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), WEFT_BINARY);
    return arguments;
  }

  static CommandResult weft(const std::vector<std::string>& arguments) {
    return run_command(command(arguments));
  }

  std::string path(std::string_view name) const { return (directory_ / name).string(); }

  // A text of `bytes` characters, and its path.
  std::string write_text(std::string_view name = "text.txt", size_t bytes = 2000) const {
    std::string text;
    while (text.size() < bytes) text += "The cat sat on the mat. ";
    text.resize(bytes);
    return directory_.write(name, text).string();
  }

  // `weft train` of a model that takes milliseconds, and more flags.
  std::vector<std::string> training(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"train",     "--data",       path("text.txt"),
                                          "--model",   kTinyModel,     "--out",
                                          path("run"), "--batch-size", "2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  static constexpr const char* kTinyModel = "L=1,NH=2,C=16,T=8";

  TempDirectory directory_;
};

// One line on standard error that names every part, nothing on standard output, status 2.
inline testing::AssertionResult is_input_error(const CommandResult& result,
                                               std::initializer_list<std::string_view> parts) {
  if (result.status != 2) {
    return testing::AssertionFailure() << "status " << result.status << ": " << result.err;
  }
  if (!result.out.empty()) return testing::AssertionFailure() << "stdout: " << result.out;
  if (!result.err.starts_with("weft: error: [") || result.err.find('\n') + 1 != result.err.size()) {
    return testing::AssertionFailure() << "not one error line: " << result.err;
  }
  return mentions(result.err, parts);
}

}  // namespace weft
