// CheckingExecutor: runs a program front to back and proves that its ops declare all tiles that
// they touch.
#pragma once

#include <memory>
#include <string>

#include "exec/executor.h"

namespace weft {

// Leaves the same memory as the sequential executor, but runs every op three times: normally, with
// other garbage in its scratch, and with all undeclared tiles overwritten. The written tiles must
// get the same bits each time, all other tiles must keep their bits, and scratch beyond the size
// that the op requested must not change. So it catches undeclared reads and writes of tiles, and
// results that depend on scratch. An op that uses an undeclared tile as an index may crash instead,
// because the tile then holds garbage.
//
// It cannot see an undeclared read that has no effect on the present values (0 * x), a write of the
// same bits to a tile that is declared as read, or memory that is in no tile.
// REQUIRES: an op's effect is a function of its tiles alone.
//
// run() throws Error, with the op as `where`, at the first op that breaks its declaration. The
// content of the tiles is then undefined.
class CheckingExecutor : public Executor {
 public:
  std::string name() const override { return "checking"; }
  int threads() const override { return 1; }
  std::unique_ptr<PreparedProgram> prepare(const Program& program) const override;
};

}  // namespace weft
