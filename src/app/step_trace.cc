#include "app/step_trace.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "base/error.h"
#include "comm/clock.h"

namespace weft {
namespace {

constexpr int64_t kUsualSteps = 10;

std::filesystem::path checked_file(const std::string& file) {
  std::filesystem::path path(file);
  if (path.extension() != ".json") {
    throw input_error("train", fmt::format("--trace: cannot write {}", file),
                      "the name must end in .json");
  }
  const std::filesystem::path directory = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code unreadable;
  if (!std::filesystem::is_directory(directory, unreadable)) {
    throw input_error("train", fmt::format("--trace: there is no directory {}", directory.string()),
                      "make it first");
  }
  return path;
}

}  // namespace

StepTrace::Steps StepTrace::parse(const std::string& text) {
  Steps steps = {};
  const char* end = text.data() + text.size();
  const auto [colon, first_error] = std::from_chars(text.data(), end, steps.first);
  if (first_error == std::errc() && colon != end && *colon == ':') {
    const auto [stop, last_error] = std::from_chars(colon + 1, end, steps.last);
    const bool read = last_error == std::errc() && stop == end;
    if (read && 1 <= steps.first && steps.first <= steps.last) return steps;
  }
  throw input_error("train", fmt::format("--trace-steps: cannot read '{}'", text),
                    "give the first and the last step, for example 3:5");
}

StepTrace::StepTrace(const std::string& file, const std::string& steps)
    : file_(checked_file(file)) {
  if (!steps.empty()) steps_ = parse(steps);
}

Observer* StepTrace::program_starts(int64_t step, const Program& program) {
  if (!steps_) steps_ = {step, step + kUsualSteps - 1};
  if (step < steps_->first || step > steps_->last) return nullptr;
  return trace_.begin_run(step, program);
}

std::string StepTrace::write(Communicator& communicator) const {
  // What begins first on any rank is the origin, in the time of rank 0.
  const int64_t ahead_ns = clock_ahead_ns(communicator);
  std::vector<double> origin = {trace_.empty() ? std::numeric_limits<double>::max()
                                               : double(trace_.begin_ns() - ahead_ns)};
  communicator.all_reduce(origin, Reduction::kMin);
  if (trace_.empty()) return "no step of --trace-steps ran: no trace was written";
  const std::vector<std::string> events = communicator.gather(
      trace_.events(communicator.rank(), rank_name(communicator), int64_t(origin[0]) + ahead_ns));
  if (communicator.rank() == 0) write_trace(file_, events);
  return fmt::format("trace in {}: open it at https://ui.perfetto.dev", file_.string());
}

}  // namespace weft
