// The readers' targets without a fuzzer: every truncation, and a wrong byte at every place.
#include "fuzz/fuzz_targets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

namespace weft {

std::ostream& operator<<(std::ostream& out, const FuzzTarget& target) { return out << target.name; }

namespace {

class Reader : public testing::TestWithParam<FuzzTarget> {};

TEST_P(Reader, AcceptsItsSeeds) {
  for (const std::string& seed : GetParam().seeds()) EXPECT_TRUE(accepts(GetParam(), seed));
}

TEST_P(Reader, ExplainsEveryTruncation) {
  for (const std::string& seed : GetParam().seeds()) {
    for (size_t size = 0; size < seed.size(); ++size) {
      EXPECT_NO_THROW(accepts(GetParam(), seed.substr(0, size))) << size;
    }
  }
}

TEST_P(Reader, ExplainsAWrongByteAtEveryPlace) {
  for (std::string seed : GetParam().seeds()) {
    for (size_t i = 0; i < std::min<size_t>(seed.size(), 3000); ++i) {
      for (const char wrong : {'\0', '\xFF', '9', '"', '}'}) {
        const char right = std::exchange(seed[i], wrong);
        EXPECT_NO_THROW(accepts(GetParam(), seed)) << i;
        seed[i] = right;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Reader,
                         testing::ValuesIn(fuzz_targets().begin(), fuzz_targets().end()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace weft
