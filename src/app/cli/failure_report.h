// FailureReport: the line and the exit status that an exception becomes for the user.
#pragma once

#include <exception>
#include <string>

namespace weft {

enum ExitStatus { kDone = 0, kFailed = 1, kWrongInput = 2 };

struct FailureReport {
  ExitStatus status = kFailed;
  std::string what;  // on one line

  // Prints `weft: error: ...` on standard error.
  void print() const;
};

FailureReport describe_failure(const std::exception& exception);

}  // namespace weft
