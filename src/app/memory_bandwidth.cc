#include "app/memory_bandwidth.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/arena.h"
#include "kernels/elementwise.h"
#include "program/program.h"

namespace weft {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMeasuredSeconds = 0.25;
constexpr int kLeastRounds = 3;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// One op per thread, on a part of the arrays of its own. Which thread runs which op, and so on
// which NUMA node its memory is, is up to the executor, as in a step.
class BandwidthProgram {
 public:
  BandwidthProgram(int threads, size_t bytes) : n_(static_cast<int64_t>(bytes) / 8 / threads) {
    for (int i = 0; i < threads; ++i) {
      const Vector<float> x = arena_.vector<float>(n_), y = arena_.vector<float>(n_);
      const TileId tile = tiles_.add({fmt::format("y{}", i), reinterpret_cast<std::byte*>(y.data()),
                                      1, y.size_bytes(), y.size_bytes()});
      // An array that was never written is one page of zeros, again and again.
      touch_.add({.name = fmt::format("touch[{}]", i),
                  .reads = {},
                  .writes = {tile},
                  .run = [x, y](std::byte*) {
                    std::ranges::fill(x, 1.f);
                    std::ranges::fill(y, 1.f);
                  }});
      stream_.add({.name = fmt::format("stream[{}]", i),
                   .reads = {},
                   .writes = {tile},
                   .run = [x, y](std::byte*) { add(x, y); }});
    }
  }

  const Program& touch() const { return touch_; }
  const Program& stream() const { return stream_; }
  double bytes_moved() const { return 3. * sizeof(float) * static_cast<double>(n_) * ops(); }

 private:
  double ops() const { return static_cast<double>(stream_.ops().size()); }

  int64_t n_;
  Arena arena_;
  TileTable tiles_;
  Program touch_{"touch", tiles_}, stream_{"stream", tiles_};
};

}  // namespace

double measure_bandwidth(const Executor& executor, size_t bytes) {
  const BandwidthProgram program(executor.threads(), bytes);
  executor.prepare(program.touch())->run();
  const std::unique_ptr<PreparedProgram> stream = executor.prepare(program.stream());
  double best = 0.;
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < kLeastRounds || seconds_since(begin) < kMeasuredSeconds; ++i) {
    const Clock::time_point start = Clock::now();
    stream->run();
    best = std::max(best, program.bytes_moved() / seconds_since(start));
  }
  return best;
}

}  // namespace weft
