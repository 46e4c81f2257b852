// ProgramGraph: a program as whatever plays it must know it, without what its ops do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "program/program.h"
#include "timeline/timeline.h"

namespace weft {

// Copied from the program, which need not outlive it.
class ProgramGraph {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // Throws Error (kFailure) if an op waits (Op::poll) and no earlier op begins what it waits for.
  explicit ProgramGraph(const Program& program);

  size_t size() const { return program_.ops.size(); }
  const TracedProgram& program() const { return program_; }
  const TracedOp& op(size_t i) const { return program_.ops[i]; }
  const std::vector<uint32_t>& predecessors(size_t i) const { return program_.predecessors[i]; }
  const std::vector<uint32_t>& successors(size_t i) const { return successors_[i]; }
  // independent_runs() of the program.
  const std::vector<size_t>& runs() const { return runs_; }

  // The op that begins what op i waits for; kNone where it does not wait.
  uint32_t begun_by(size_t i) const { return begun_by_[i]; }
  // True if some op waits for what op i begins.
  bool begins_transfer(size_t i) const { return begins_transfer_[i]; }

 private:
  TracedProgram program_;
  std::vector<std::vector<uint32_t>> successors_;
  std::vector<size_t> runs_;
  std::vector<uint32_t> begun_by_;
  std::vector<bool> begins_transfer_;
};

}  // namespace weft
