// StepTrace: `--trace` and `--trace-steps`: a timeline of some steps of a run.
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
  // steps: "A:B", both included, or "" for the first ten of this process.
  // Throws Error (kInput): a name that is none of a timeline, a directory that does not exist, or
  // steps that cannot be read.
  StepTrace(const std::string& file, const std::string& steps);

  Observer* program_starts(int64_t step, const Program& program) override;

  // Writes one file of all ranks, each of which calls this. workers: of this rank's executor.
  // Returns what to tell the user, on rank 0: a line or two. Throws Error (kFailure).
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
