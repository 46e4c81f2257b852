// RandomExecutor: runs a program in a random legal order, to fuzz the schedules of executors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "exec/executor.h"
#include "exec/op_runner.h"
#include "exec/task_graph.h"

namespace weft {

// Picks the next op uniformly among those whose predecessors have ended. The order is a pure
// function of the seed and of the number of ops that the prepared program has already run.
class RandomProgram : public PreparedProgram {
 public:
  RandomProgram(const Program& program, uint64_t seed)
      : seed_(seed), graph_(program), runner_(program, 1) {}

  void run(Observer* observer) override {
    runner_.begin(observer);
    graph_.reset();
    std::vector<uint32_t> ready = graph_.roots();
    while (!ready.empty()) {
      std::swap(ready[random_u64(seed_, 0, picks_++) % ready.size()], ready.back());
      const uint32_t op = ready.back();
      ready.pop_back();
      runner_.run_to_end(op, 0);
      graph_.end(op, [&](uint32_t next) { ready.push_back(next); });
    }
    runner_.rethrow_failure();
  }

 private:
  uint64_t seed_, picks_ = 0;
  TaskGraph graph_;
  OpRunner runner_;
};

// With some seed, an undeclared read or write gives other bits than the sequential executor.
class RandomExecutor : public Executor {
 public:
  explicit RandomExecutor(uint64_t seed) : seed_(seed) {}

  std::string name() const override { return "random"; }
  int threads() const override { return 1; }
  std::unique_ptr<PreparedProgram> prepare(const Program& program) const override {
    return std::make_unique<RandomProgram>(program, seed_);
  }

 private:
  uint64_t seed_;
};

}  // namespace weft
