// CheckingExecutor: runs a program front to back and proves that its ops declare what they touch.
#pragma once

#include <memory>
#include <string>

#include "exec/executor.h"

namespace weft {

// Leaves the memory that the sequential executor leaves, but runs every op three times: as it is;
// from the same memory with other garbage in its scratch; and with every tile overwritten that the
// op does not declare. The writes must come out the same, everything else must stay as it was, and
// scratch beyond what the op asked for must not be touched. So it catches undeclared reads and
// writes of tiles, and results that depend on scratch. An op that uses an undeclared tile as an
// index may crash instead: the tile holds nonsense then.
//
// It cannot see an undeclared read that does not matter with the values at hand (0 * x), the
// rewriting of a declared read with the bits that it already had, or memory that is in no tile.
// REQUIRES: an op's effect is a function of its tiles alone.
//
// run() throws Error, with the op as `where`, at the first op that breaks its declaration; the
// tiles then hold anything.
class CheckingExecutor : public Executor {
 public:
  std::string name() const override { return "checking"; }
  int threads() const override { return 1; }
  std::unique_ptr<PreparedProgram> prepare(const Program& program) const override;
};

}  // namespace weft
