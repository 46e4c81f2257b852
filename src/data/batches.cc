#include "data/batches.h"

#include <bit>
#include <utility>

#include "base/error.h"
#include "base/math.h"
#include "base/rng.h"

namespace weft {
namespace {

// The random stream of the shuffle; other uses of the same seed have other streams.
constexpr uint64_t kShuffleStream = uint64_t{1} << 63;

// Four rounds make a strong permutation (Luby and Rackoff 1988) of wide halves; ours can have one
// bit, so we spend a few more.
constexpr uint64_t kRounds = 8;

// A bijection of [0, 4^half_bits): each round xors one half with a random function of the other,
// which a second xor would undo, and swaps them.
uint64_t feistel(uint64_t x, int half_bits, uint64_t seed, uint64_t epoch) {
  const uint64_t mask = (uint64_t{1} << half_bits) - 1;
  uint64_t left = x >> half_bits;
  uint64_t right = x & mask;
  for (uint64_t round = 0; round < kRounds; ++round) {
    left ^= random_u64(seed, kShuffleStream | epoch, round << 32 | right) & mask;
    std::swap(left, right);
  }
  return left << half_bits | right;
}

}  // namespace

// Cycle walking: from a point of [0, n), the orbit of a bijection of the larger domain comes back
// to [0, n), and the first points there form a bijection too. The domain has less than 4 n points,
// so a walk takes less than 4 steps on average.
int64_t permuted(int64_t i, int64_t n, uint64_t seed, uint64_t epoch) {
  require(0 <= i && i < n, "permuted takes an index below n");
  const int half_bits = (std::bit_width(static_cast<uint64_t>(n - 1)) + 1) / 2;
  uint64_t x = static_cast<uint64_t>(i);
  do {
    x = feistel(x, half_bits, seed, epoch);
  } while (x >= static_cast<uint64_t>(n));
  return static_cast<int64_t>(x);
}

Batches::Batches(const TokenSource& source, const BatchPlan& plan)
    : source_(&source), plan_(plan), samples_(source.samples(plan.T)) {
  require(plan.B >= 1 && plan.micro_batches >= 1, "a batch plan counts from one");
}

void Batches::fill(int64_t step, int64_t micro_batch, Vector<int32_t> inputs,
                   Vector<int32_t> targets) const {
  const int64_t first = (step * plan_.micro_batches + micro_batch) * plan_.B;
  const size_t T = static_cast<size_t>(plan_.T);
  for (int64_t b = 0; b < plan_.B; ++b) {
    const size_t row = static_cast<size_t>(b) * T;
    source_->sample(sample_of(first + b), inputs.subspan(row, T), targets.subspan(row, T));
  }
}

int64_t Batches::sample_of(int64_t number) const {
  const int64_t epoch = number / samples_;
  const int64_t i = number % samples_;
  return plan_.shuffle ? permuted(i, samples_, plan_.seed, static_cast<uint64_t>(epoch)) : i;
}

int64_t Batches::steps_per_epoch() const {
  return ceil_div(samples_, plan_.B * plan_.micro_batches);
}

}  // namespace weft
