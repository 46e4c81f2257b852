#include "app/memory_bandwidth.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "app/thread_clock.h"
#include "base/arena.h"
#include "kernels/elementwise.h"
#include "program/program.h"

namespace weft {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMeasuredSeconds = 0.25;
constexpr int kLeastRounds = 3;

// What fits a cache is streamed again and again within one round, or the clock would be measured.
constexpr size_t kLeastBytesPerRound = size_t{1} << 24;

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

size_t streamed_bytes(const MachineFacts& facts, int threads) {
  constexpr size_t kLeast = size_t{1} << 28, kPerThread = size_t{1} << 28;
  size_t cached = 0;
  for (const CacheLevel& cache : facts.caches) {
    cached = std::max(cached, cache.bytes * static_cast<size_t>(cache.count));
  }
  const size_t most = std::max(kLeast, kPerThread * static_cast<size_t>(threads));
  const size_t bytes = std::clamp(2 * cached, kLeast, most);
  return bytes <= facts.available_bytes / 4 ? bytes : 0;
}

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

double measure_thread_bandwidth(size_t bytes) {
  Arena arena;
  const auto n = static_cast<int64_t>(bytes / 8);
  const Vector<float> x = arena.vector<float>(n), y = arena.vector<float>(n);
  std::ranges::fill(x, 1.f);
  std::ranges::fill(y, 1.f);
  const size_t repeats = std::max(size_t{1}, kLeastBytesPerRound / bytes);
  const double moved = 3. * sizeof(float) * static_cast<double>(n) * static_cast<double>(repeats);
  double best = 0., spent = 0.;
  for (int i = 0; i < kLeastRounds || spent < kMeasuredSeconds; ++i) {
    const double start = thread_seconds();
    for (size_t k = 0; k < repeats; ++k) add(x, y);
    const double seconds = thread_seconds() - start;
    best = std::max(best, moved / seconds);
    spent += seconds;
  }
  return best;
}

}  // namespace weft
