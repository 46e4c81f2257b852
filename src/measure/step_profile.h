// StepProfile: the time that threads spend on each kind of op in a step.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "program/observer.h"
#include "program/program.h"

namespace weft {

// Returns the FLOPs of one run of the program by kind of op, without kinds that have none.
std::map<std::string, double> flops_by_kind(const Program& program);

struct OpKindTime {
  std::string kind;
  Phase phase = Phase::kForward;
  int64_t ops = 0;      // in one step
  double seconds = 0.;  // of all threads together, over the observed steps
};

// Adds up the times of all runs that it observes. Each op has its own element, so workers neither
// wait for each other nor allocate.
class StepProfile : public Observer {
 public:
  explicit StepProfile(const Program& program)
      : program_(program), begin_ns_(program.ops().size()), total_ns_(program.ops().size()) {}

  void op_started(size_t op, int worker) noexcept override;
  void op_ended(size_t op, int worker) noexcept override;

  // Returns the times by kind, the longest first, without the ops that wait for other ranks and
  // occupy no thread. REQUIRES: no run is being observed.
  std::vector<OpKindTime> kinds() const;

 private:
  const Program& program_;
  std::vector<int64_t> begin_ns_, total_ns_;  // by op
};

}  // namespace weft
