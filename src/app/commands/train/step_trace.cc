#include "app/commands/train/step_trace.h"

#include <fmt/format.h>

#include <charconv>

#include "app/cli/efficiency_output.h"
#include "base/error.h"
#include "run/rank_timelines.h"
#include "timeline/efficiency.h"
#include "timeline/timeline_file.h"

namespace weft {
namespace {

constexpr int64_t kUsualSteps = 10;

std::filesystem::path checked_file(const std::string& file) {
  std::filesystem::path path(file);
  if (!is_perfetto_path(path) && !is_paraver_path(path)) {
    throw input_error("train", fmt::format("--trace: cannot write {}", file),
                      fmt::format("the name must end in {}", kTimelineFiles));
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

std::string StepTrace::write(Communicator& communicator, int workers) const {
  const Timeline timeline = gather_timelines(trace_, workers, communicator);
  if (communicator.rank() != 0) return {};
  if (end_ns(timeline) == 0) return "no step of --trace-steps ran: no trace was written";
  write_timeline(file_, timeline);
  return fmt::format("efficiency of the traced steps: {}\ntrace in {}: open it {}",
                     describe(efficiency(timeline).pop), file_.string(),
                     is_paraver_path(file_) ? "with Paraver" : "at https://ui.perfetto.dev");
}

}  // namespace weft
