// Scheduling overhead: the time that executors take for ops that do nothing.
#pragma once

#include <cstddef>
#include <vector>

#include "exec/executor.h"
#include "measure/time_spread.h"
#include "program/program.h"

namespace weft {

// Seconds of one run of a program whose ops do nothing.
struct Overhead {
  double prepare_s = 0.;
  TimeSpread run_s;
};

// Takes a tenth of a second.
Overhead measure_overhead(const Executor& executor, const Program& program);

// Returns a program with the same ops on the same tiles that do nothing. REQUIRES: the tiles
// outlive it.
Program emptied(const Program& step);

// A program of empty ops that each write their own tile (independent) or all write the same tile
// (chain).
class SyntheticProgram {
 public:
  enum class Order { kIndependent, kChain };

  SyntheticProgram(size_t ops, Order order);

  const Program& program() const { return program_; }

 private:
  std::vector<std::byte> bytes_;
  TileTable tiles_;
  Program program_{"synthetic", tiles_};
};

}  // namespace weft
