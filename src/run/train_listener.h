// TrainListener and StepTracer: how a caller of train() follows a run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "program/observer.h"
#include "program/program.h"
#include "run/step_report.h"

namespace weft {

// Called from the thread that called train().
class TrainListener {
 public:
  virtual ~TrainListener() = default;
  virtual void started(const RunReport& run) = 0;
  virtual void stepped(const StepReport& step) = 0;
  virtual void validated(int64_t step, double loss) = 0;
  virtual void sampled(int64_t step, const std::string& text) = 0;
  virtual void saved(int64_t step, const std::filesystem::path& path) = 0;
  virtual void noted(const std::string& message) = 0;  // warnings and facts worth a line
};

// Watches the ops of chosen steps, for timelines. `step` counts from 1.
class StepTracer {
 public:
  virtual ~StepTracer() = default;
  // The observer of this program run within this step, or null when it is not traced.
  virtual Observer* program_starts(int64_t step, const Program& program) = 0;
};

}  // namespace weft
