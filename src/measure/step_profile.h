// StepProfile: which kind of op the threads spent a step's time on.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "program/observer.h"
#include "program/program.h"

namespace weft {

// FLOPs of one run of the program, by kind of op; kinds without any are left out.
std::map<std::string, double> flops_by_kind(const Program& program);

struct OpKindTime {
  std::string kind;
  Phase phase = Phase::kForward;
  int64_t ops = 0;      // in one step
  double seconds = 0.;  // of all threads together, over the observed steps
};

// Sums over every run that it observes. Each op has a place of its own, so workers neither wait for
// each other nor allocate.
class StepProfile : public Observer {
 public:
  explicit StepProfile(const Program& program)
      : program_(program), begin_ns_(program.ops().size()), total_ns_(program.ops().size()) {}

  void op_started(size_t op, int worker) noexcept override;
  void op_ended(size_t op, int worker) noexcept override;

  // By kind, the longest first; without ops that wait for other ranks, on no thread. REQUIRES: no
  // run is being observed.
  std::vector<OpKindTime> kinds() const;

 private:
  const Program& program_;
  std::vector<int64_t> begin_ns_, total_ns_;  // by op
};

}  // namespace weft
