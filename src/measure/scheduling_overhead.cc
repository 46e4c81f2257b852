#include "measure/scheduling_overhead.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <vector>

namespace weft {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kLeastRuns = 5;
constexpr double kMeasuredSeconds = 0.1;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

Overhead measure_overhead(const Executor& executor, const Program& program) {
  Overhead overhead;
  const Clock::time_point begin = Clock::now();
  const std::unique_ptr<PreparedProgram> prepared = executor.prepare(program);
  overhead.prepare_s = seconds_since(begin);
  prepared->run();  // starts the threads
  std::vector<double> seconds;
  const Clock::time_point first = Clock::now();
  while (seconds.size() < kLeastRuns || seconds_since(first) < kMeasuredSeconds) {
    const Clock::time_point start = Clock::now();
    prepared->run();
    seconds.push_back(seconds_since(start));
  }
  overhead.run_s = spread_of(seconds);
  return overhead;
}

Program emptied(const Program& step) {
  Program program("empty_step", step.tiles());
  for (const Op& op : step.ops()) {
    program.add({.name = op.name,
                 .phase = op.phase,
                 .reads = op.reads,
                 .writes = op.writes,
                 .run = [](std::byte*) {}});
  }
  return program;
}

SyntheticProgram::SyntheticProgram(size_t ops, Order order) : bytes_(ops) {
  for (size_t i = 0; i < ops; ++i) tiles_.add({fmt::format("{}", i), &bytes_[i], 1, 1, 1});
  for (size_t i = 0; i < ops; ++i) {
    const auto tile = static_cast<TileId>(order == Order::kChain ? 0 : i);
    program_.add({.name = OpName{.kind = "op", .tile = fmt::format("{}", i)},
                  .reads = {},
                  .writes = {tile},
                  .run = [](std::byte*) {}});
  }
}

}  // namespace weft
