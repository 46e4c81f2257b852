#include "measure/memory_bandwidth.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <vector>

#include "base/arena.h"
#include "kernels/elementwise.h"
#include "measure/thread_clock.h"
#include "program/program.h"

namespace weft {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMeasuredSeconds = 0.25;
constexpr int kLeastRounds = 3;

// Small arrays are streamed several times in one round, so that reading the clock takes a small
// part of the time.
constexpr size_t kLeastBytesPerRound = size_t{1} << 24;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The arrays of one thread, and a pass over them.
class Stream {
 public:
  Stream(Arena& arena, Traffic traffic, size_t bytes)
      : traffic_(traffic), x_(arena.vector<float>(elements(traffic, bytes))) {
    if (traffic == Traffic::kUpdate) y_ = arena.vector<float>(elements(traffic, bytes));
  }

  // Before the first write, every page of an array is the same page of zeros.
  void touch() {
    std::ranges::fill(x_, 1.f);
    std::ranges::fill(y_, 1.f);
  }
  void pass() {
    if (traffic_ == Traffic::kUpdate) return add(x_, y_);
    add_row_sums({x_.data(), 1, static_cast<int64_t>(x_.size())}, {&sum_, 1});
  }
  double bytes_moved() const {
    const double accesses = traffic_ == Traffic::kUpdate ? 3. : 1.;
    return accesses * sizeof(float) * static_cast<double>(x_.size());
  }
  // The tile that ops declare in place of everything that a pass writes.
  std::span<std::byte> result() { return std::as_writable_bytes(std::span(&sum_, 1)); }

 private:
  static int64_t elements(Traffic traffic, size_t bytes) {
    return static_cast<int64_t>(bytes / sizeof(float) / (traffic == Traffic::kUpdate ? 2 : 1));
  }

  Traffic traffic_;
  Vector<float> x_, y_;
  float sum_ = 0.f;
};

// Programs with one op per thread, each on its own arrays. The executor decides which thread runs
// an op, and so on which NUMA node its memory is, as in a step.
class BandwidthProgram {
 public:
  BandwidthProgram(int threads, Traffic traffic, size_t bytes) {
    streams_.reserve(static_cast<size_t>(threads));
    for (int i = 0; i < threads; ++i) {
      Stream& stream = streams_.emplace_back(arena_, traffic, bytes / static_cast<size_t>(threads));
      const std::span<std::byte> result = stream.result();
      const TileId tile =
          tiles_.add({fmt::format("stream{}", i), result.data(), 1, result.size(), result.size()});
      touch_.add({.name = {.kind = "touch", .tile = fmt::format("{}", i)},
                  .reads = {},
                  .writes = {tile},
                  .run = [&stream](std::byte*) { stream.touch(); }});
      pass_.add({.name = {.kind = "stream", .tile = fmt::format("{}", i)},
                 .reads = {},
                 .writes = {tile},
                 .run = [&stream](std::byte*) { stream.pass(); }});
    }
  }

  const Program& touch() const { return touch_; }
  const Program& pass() const { return pass_; }
  double bytes_moved() const {
    return streams_[0].bytes_moved() * static_cast<double>(streams_.size());
  }

 private:
  Arena arena_;
  std::vector<Stream> streams_;
  TileTable tiles_;
  Program touch_{"touch", tiles_}, pass_{"stream", tiles_};
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

double measure_bandwidth(const Executor& executor, Traffic traffic, size_t bytes) {
  const BandwidthProgram program(executor.threads(), traffic, bytes);
  executor.prepare(program.touch())->run();
  const std::unique_ptr<PreparedProgram> pass = executor.prepare(program.pass());
  double best = 0.;
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < kLeastRounds || seconds_since(begin) < kMeasuredSeconds; ++i) {
    const Clock::time_point start = Clock::now();
    pass->run();
    best = std::max(best, program.bytes_moved() / seconds_since(start));
  }
  return best;
}

double measure_thread_bandwidth(Traffic traffic, size_t bytes) {
  Arena arena;
  Stream stream(arena, traffic, bytes);
  stream.touch();
  const size_t repeats = std::max(size_t{1}, kLeastBytesPerRound / bytes);
  const double moved = stream.bytes_moved() * static_cast<double>(repeats);
  double best = 0., spent = 0.;
  for (int i = 0; i < kLeastRounds || spent < kMeasuredSeconds; ++i) {
    const double start = thread_seconds();
    for (size_t k = 0; k < repeats; ++k) stream.pass();
    const double seconds = thread_seconds() - start;
    best = std::max(best, moved / seconds);
    spent += seconds;
  }
  return best;
}

}  // namespace weft
