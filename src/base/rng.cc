#include "base/rng.h"

#include <cmath>
#include <numbers>

namespace weft {
namespace {

constexpr uint32_t low(uint64_t x) { return static_cast<uint32_t>(x); }
constexpr uint32_t high(uint64_t x) { return static_cast<uint32_t>(x >> 32); }
constexpr uint64_t join(uint32_t low, uint32_t high) { return uint64_t{high} << 32 | low; }

// The seed is Philox's key; stream and index are the two halves of its counter.
std::array<uint32_t, 4> random_words(uint64_t seed, uint64_t stream, uint64_t index) {
  return philox4x32({low(index), high(index), low(stream), high(stream)}, {low(seed), high(seed)});
}

// The upper 53 bits, as many as a double holds, in [0, 2^53).
double top_bits(uint64_t x) { return static_cast<double>(x >> 11); }

}  // namespace

// One round multiplies two counter words, crosses the halves of the products, and mixes in the key;
// the key advances by a Weyl sequence (the golden ratio and sqrt(3) - 1, as 32-bit fractions).
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * counter[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {high(p1) ^ counter[1] ^ key[0], low(p1), high(p0) ^ counter[3] ^ key[1], low(p0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

uint64_t random_u64(uint64_t seed, uint64_t stream, uint64_t index) {
  const auto words = random_words(seed, stream, index);
  return join(words[0], words[1]);
}

double random_uniform(uint64_t seed, uint64_t stream, uint64_t index) {
  return 0x1p-53 * top_bits(random_u64(seed, stream, index));
}

// z = sqrt(-2 ln u) cos(2 pi v), with u in (0, 1] so that the logarithm is finite.
double random_normal(uint64_t seed, uint64_t stream, uint64_t index) {
  const auto words = random_words(seed, stream, index);
  const double u = 0x1p-53 * (top_bits(join(words[0], words[1])) + 1.0);
  const double v = 0x1p-53 * top_bits(join(words[2], words[3]));
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

}  // namespace weft
