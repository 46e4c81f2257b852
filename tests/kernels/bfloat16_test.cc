#include "kernels/bfloat16.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/each_target.h"

namespace weft {
namespace {

// Upper halves of all kinds, each with lower halves around what rounding looks at.
std::vector<float> all_kinds() {
  std::vector<float> values;
  for (uint32_t upper = 0; upper < 1u << 16; ++upper) {
    for (const uint32_t lower : {0u, 1u, 0x7FFFu, 0x8000u, 0x8001u, 0xFFFFu}) {
      values.push_back(std::bit_cast<float>(upper << 16 | lower));
    }
  }
  return values;
}

TEST(Convert, RoundsToTheBitsOfTheScalarRuleOnEveryTarget) {
  const std::vector<float> values = all_kinds();
  for_each_target([&] {
    std::vector<BFloat16> rounded(values.size());

    convert(Vector<const float>(values), Vector<BFloat16>(rounded));

    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(rounded[i], to_bfloat16(values[i])) << std::bit_cast<uint32_t>(values[i]);
    }
  });
}

TEST(Convert, WidensEveryBf16ExactlyOnEveryTarget) {
  for_each_target([] {
    std::vector<BFloat16> values(1 << 16);
    for (size_t i = 0; i < values.size(); ++i) values[i].bits = static_cast<uint16_t>(i);
    std::vector<float> wide(values.size());

    convert(Vector<const BFloat16>(values), Vector<float>(wide));

    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(std::bit_cast<uint32_t>(wide[i]), uint32_t(i) << 16);
    }
  });
}

TEST(Convert, HandlesEveryTailAndWritesNothingElse) {
  constexpr int64_t kRows = 3;
  const BFloat16 guard{0xABCD};
  for_each_target([&] {
    for (int64_t n = 0; n <= 37; ++n) {
      const int64_t stride = n + 3;
      std::vector<float> src(size_t(kRows * stride));
      for (size_t i = 0; i < src.size(); ++i) src[i] = static_cast<float>(i) * 1.01f;
      std::vector<BFloat16> dst(src.size(), guard);
      std::vector<float> back(src.size(), -1.f);

      convert(Matrix<const float>(src.data(), kRows, n, stride),
              Matrix<BFloat16>(dst.data(), kRows, n, stride));
      convert(Matrix<const BFloat16>(dst.data(), kRows, n, stride),
              Matrix<float>(back.data(), kRows, n, stride));

      for (size_t i = 0; i < src.size(); ++i) {
        const bool inside = int64_t(i) % stride < n;
        ASSERT_EQ(dst[i], inside ? to_bfloat16(src[i]) : guard) << n << " at " << i;
        ASSERT_EQ(back[i], inside ? to_float(dst[i]) : -1.f) << n << " at " << i;
      }
    }
  });
}

}  // namespace
}  // namespace weft
