#include "app/cli/failure_report.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <new>

#include "app/cli/terminal.h"
#include "base/error.h"
#include "base/system_calls.h"

namespace weft {
namespace {

FailureReport of_line(ExitStatus status, std::string_view what) {
  return {status, single_line(what)};
}

}  // namespace

void FailureReport::print() const {
  std::fputs(fmt::format("weft: error: {}\n", what).c_str(), stderr);
}

FailureReport describe_failure(const std::exception& exception) {
  if (const auto* error = dynamic_cast<const Error*>(&exception)) {
    return of_line(error->kind() == ErrorKind::kInput ? kWrongInput : kFailed, error->what());
  }
  if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr) {
    return of_line(kFailed, "[weft] out of memory; use a smaller model, --batch-size or --seq-len");
  }
  if (const auto* error = dynamic_cast<const std::filesystem::filesystem_error*>(&exception)) {
    return of_line(kFailed, system_error(ErrorKind::kFailure, "weft", "use", error->path1(),
                                         error->code().value())
                                .what());
  }
  return of_line(kFailed, fmt::format("[weft] {}", exception.what()));
}

}  // namespace weft
