// Decoding attention on every instruction set, against a softmax in double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/attention.h"
#include "support/each_target.h"
#include "support/test_matrix.h"

namespace weft {
namespace {

struct Cache {
  TestMatrix q, k, v, out;
  std::vector<float> scores;

  Cache(int64_t keys, int64_t HS)
      : q(TestMatrix::normal(1, HS, 1)),
        k(TestMatrix::normal(keys, HS, 2)),
        v(TestMatrix::normal(keys, HS, 3)),
        out(1, HS),
        scores(static_cast<size_t>(keys)) {}

  // The last query, which sees every key.
  std::vector<float> attend() {
    attention_cached(q, k, v, k.rows() - 1, out, scores);
    return out.values();
  }

  std::vector<double> reference() {
    std::vector<double> p, result(static_cast<size_t>(q.cols()));
    double sum = 0;
    for (int64_t s = 0; s < k.rows(); ++s) {
      double score = 0;
      for (int64_t h = 0; h < q.cols(); ++h) score += double(q.at(0, h)) * k.at(s, h);
      p.push_back(std::exp(score / std::sqrt(double(q.cols()))));
      sum += p.back();
    }
    for (int64_t s = 0; s < k.rows(); ++s) {
      for (int64_t h = 0; h < q.cols(); ++h) {
        result[size_t(h)] += p[size_t(s)] / sum * v.at(s, h);
      }
    }
    return result;
  }
};

TEST(AttentionCachedOnEachTarget, MatchesADoubleReference) {
  for_each_target([] {
    for (int64_t HS = 1; HS <= 73; HS += 9) {
      for (int64_t keys = 1; keys <= 35; ++keys) {
        Cache cache(keys, HS);
        const std::vector<double> want = cache.reference();

        const std::vector<float> got = cache.attend();

        // A score of up to about 16 rounds by 16 * 2^-24 per addition of its dot product, of which
        // a lane has 5 and their tree 4; values are below 5.
        for (size_t h = 0; h < got.size(); ++h) ASSERT_NEAR(got[h], want[h], 2e-5) << keys;
        ASSERT_TRUE(cache.out.guards_hold());
      }
    }
  });
}

TEST(AttentionCachedOnEachTarget, ANanInAKeyReachesTheOutput) {
  for_each_target([] {
    for (int64_t bad = 0; bad < 19; ++bad) {
      Cache cache(19, 5);
      cache.k.at(bad, 2) = std::nanf("");

      for (const float out : cache.attend()) ASSERT_TRUE(std::isnan(out)) << bad;
    }
  });
}

TEST(AttentionCachedOnEachTarget, Avx2AndAvx512GiveTheSameBits) {
  Cache cache(133, 67);

  expect_same_bits_on_avx2_and_avx512([&] { return cache.attend(); });
}

}  // namespace
}  // namespace weft
