// Trace: records which worker ran which op, and when.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "program/observer.h"
#include "program/program.h"
#include "timeline/timeline.h"

namespace weft {

class Trace {
 public:
  Trace();
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  // Returns an observer for the next run of `program`, as part of a step that counts from 1. It
  // serves one run and lives as long as the trace. Each op has its own place in it, so workers
  // neither wait for each other nor allocate.
  // REQUIRES: no other run is being observed, and no program has the address of an earlier one.
  Observer* begin_run(int64_t step, const Program& program);

  // workers: those of the executor, also if they ran no op. Runs in which no op ended are left out.
  // Times are those of this machine's steady clock.
  // REQUIRES: no run is being observed.
  RankTimeline timeline(int rank, const std::string& name, int workers) const;

 private:
  class Run;

  // Copied when a program first runs, because the trace may outlive it.
  std::vector<TracedProgram> programs_;
  std::map<const Program*, uint32_t> known_;  // indices into programs_
  std::vector<std::unique_ptr<Run>> runs_;
};

}  // namespace weft
