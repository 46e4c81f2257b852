// RandomExecutor: runs a program in a random legal order, to fuzz the schedules of executors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <queue>
#include <string>
#include <utility>

#include "base/rng.h"
#include "exec/executor.h"
#include "exec/op_runner.h"
#include "exec/task_graph.h"

namespace weft {

// Gives every op a random priority and always runs the ready op of the highest. So an op that could
// run early is the last among k others with a chance of one in k + 1. If each pick were random
// instead, the chance would shrink exponentially with the length of the others' chains (Burckhardt
// et al., "A randomized scheduler with probabilistic guarantees of finding bugs", ASPLOS 2010). The
// order is a pure function of the seed and of how often the prepared program has run before.
class RandomProgram : public PreparedProgram {
 public:
  RandomProgram(const Program& program, uint64_t seed)
      : seed_(seed), graph_(program), runner_(program, 1) {}

  void run(Observer* observer) override {
    runner_.begin(observer);
    graph_.reset();
    std::priority_queue<std::pair<uint64_t, uint32_t>> ready;  // priority, op
    const auto push = [&](uint32_t op) { ready.emplace(random_u64(seed_, runs_, op), op); };
    for (const uint32_t op : graph_.roots()) push(op);
    while (!ready.empty()) {
      const uint32_t op = ready.top().second;
      ready.pop();
      runner_.run_to_end(op, 0);
      graph_.end(op, push);
    }
    ++runs_;
    runner_.rethrow_failure();
  }

 private:
  uint64_t seed_, runs_ = 0;
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
