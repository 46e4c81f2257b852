// StepProfile: which kind of op the threads spent a step's time on.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/config.h"
#include "program/observer.h"
#include "program/program.h"
#include "timeline/op_path.h"

namespace weft {

// FLOPs of the matrix products of a step with B sequences of T tokens, by kind of op. Attention's
// masked half counts as nothing. What backward computes again in `recomputed` blocks is of kinds of
// its own, "again/qkv/forward".
std::map<std::string, double> step_flops(const Config& config, int64_t B, int64_t T,
                                         int64_t recomputed = 0);

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
