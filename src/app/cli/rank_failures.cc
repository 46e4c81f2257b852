#include "app/cli/rank_failures.h"

#include <fmt/format.h>

#include <cstdio>

#include "app/cli/failure_report.h"
#include "base/error.h"

namespace weft {
namespace {

bool is_on_all_ranks(const std::exception& exception) {
  const auto* error = dynamic_cast<const Error*>(&exception);
  return error != nullptr && error->is_on_all_ranks();
}

}  // namespace

int run_as_rank(Communicator& communicator, const std::function<int()>& work) {
  if (communicator.size() == 1) return work();
  int status = kFailed;
  try {
    status = work();
  } catch (const std::exception& exception) {
    FailureReport report = describe_failure(exception);
    status = report.status;
    const bool alone = !is_on_all_ranks(exception);
    if (alone) report.what = fmt::format("{}: {}", rank_name(communicator), report.what);
    if (alone || communicator.rank() == 0) report.print();
    if (alone) {
      communicator.end_all_ranks(status);
      return status;
    }
  }
  std::fflush(stdout);  // main reports a failed write when the program ends
  communicator.barrier();
  return status;
}

}  // namespace weft
