#include "app/rank_failures.h"

#include <fmt/format.h>

#include "app/failure_report.h"
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
  try {
    return work();
  } catch (const std::exception& exception) {
    FailureReport report = describe_failure(exception);
    if (is_on_all_ranks(exception)) {
      if (communicator.rank() == 0) throw;
      return report.status;
    }
    report.what = fmt::format("{}: {}", rank_name(communicator), report.what);
    report.print();
    communicator.end_all_ranks(report.status);
    return report.status;
  }
}

}  // namespace weft
