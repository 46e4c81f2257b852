#include "base/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "support/error_of.h"

namespace weft {
namespace {

TEST(Arena, HandsOutZeroedAlignedMemory) {
  Arena arena;

  // Sizes below a cache line, odd, around a page, and above the size that requests huge pages.
  for (const int64_t n : {1, 3, 63, 64, 4095, 4097, 3000017}) {
    const Vector<float> v = arena.vector<float>(n);

    ASSERT_EQ(v.size(), static_cast<size_t>(n));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(v.data()) % 64, 0u);
    EXPECT_TRUE(std::all_of(v.begin(), v.end(), [](float x) { return x == 0.0f; }));
  }
}

TEST(Arena, ArraysDoNotOverlap) {
  Arena arena;
  const Vector<int32_t> a = arena.vector<int32_t>(17);
  const Vector<int32_t> b = arena.vector<int32_t>(5000);
  const Vector<int32_t> c = arena.vector<int32_t>(1);

  std::fill(a.begin(), a.end(), 1);
  std::fill(b.begin(), b.end(), 2);
  std::fill(c.begin(), c.end(), 3);

  EXPECT_EQ(std::count(a.begin(), a.end(), 1), 17);
  EXPECT_EQ(std::count(b.begin(), b.end(), 2), 5000);
  EXPECT_EQ(c[0], 3);
}

TEST(Arena, AMatrixIsDenseRowMajor) {
  Arena arena;

  const Matrix<double> m = arena.matrix<double>(5, 7);
  m.at(3, 2) = 1.5;

  EXPECT_EQ(m.rows, 5);
  EXPECT_EQ(m.cols, 7);
  EXPECT_EQ(m.stride, 7);
  EXPECT_EQ(m.data[3 * 7 + 2], 1.5);
}

TEST(Arena, CountsTheBytesItHandedOut) {
  Arena arena;

  arena.vector<float>(10);
  arena.matrix<double>(3, 5);

  EXPECT_EQ(arena.bytes(), 10 * sizeof(float) + 15 * sizeof(double));
}

TEST(Arena, AnArrayOfNoElementsIsEmpty) {
  Arena arena;

  EXPECT_TRUE(arena.vector<float>(0).empty());
  EXPECT_EQ(arena.bytes(), 0u);
}

TEST(Arena, RunningOutOfMemoryIsAnErrorWithAHint) {
  Arena arena;

  // 2^62 bytes exceed the address space of every 64-bit system.
  const std::string message = error_of([&] { arena.allocate_bytes(size_t{1} << 62); });

  EXPECT_TRUE(mentions(message, {"cannot allocate"}));
  EXPECT_TRUE(mentions(message, {"--batch-size"}));
}

}  // namespace
}  // namespace weft
