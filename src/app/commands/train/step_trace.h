// StepTrace: the timeline of some steps of a run, for `--trace` and `--trace-steps`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "comm/communicator.h"
#include "run/trainer.h"
#include "timeline/recorder.h"

namespace weft {

class StepTrace : public StepTracer {
 public:
  // steps: "A:B", both included, or "" for the first ten of this process. Throws Error (kInput) for
  // a name that is not that of a timeline, a directory that does not exist, or steps that cannot be
  // parsed.
  StepTrace(const std::string& file, const std::string& steps);

  Observer* program_starts(int64_t step, const Program& program) override;

  // Writes one file with the timelines of all ranks. All ranks call it together. workers: those of
  // this rank's executor. Returns one or two lines for the user on rank 0. Throws Error (kFailure).
  std::string write(Communicator& communicator, int workers) const;

 private:
  struct Steps {
    int64_t first, last;
  };
  static Steps parse(const std::string& text);

  std::filesystem::path file_;
  std::optional<Steps> steps_;  // unknown until the first step if they are the first ten
  Trace trace_;
};

}  // namespace weft
