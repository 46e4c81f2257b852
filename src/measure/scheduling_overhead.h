// Scheduling overhead: how long executors take for ops that do nothing.
#pragma once

#include "exec/executor.h"
#include "measure/timed_step.h"
#include "program/program.h"

namespace weft {

// Seconds of one run of a program that does nothing.
struct Overhead {
  double prepare_s = 0.;
  TimeSpread run_s;
};

// Takes a tenth of a second.
Overhead measure_overhead(const Executor& executor, const Program& program);

// The same ops on the same tiles, with nothing to do. REQUIRES: the tiles outlive it.
Program emptied(const Program& step);

// Empty ops that each write a tile of their own, or all of them the same one.
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
