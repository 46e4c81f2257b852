#include "kernels/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "base/error.h"
#include "support/each_target.h"

namespace weft {
namespace {

constexpr double kEps = std::numeric_limits<float>::epsilon();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kGap = -77.f;  // what lies between rows, where nobody may write

// A matrix of T rows inside wider rows, as heads lie inside the channels of a token. Not even
// 16-byte aligned.
class StridedRows {
 public:
  StridedRows(int64_t T, int64_t HS, int64_t stride)
      : T_(T), HS_(HS), stride_(stride), data_(static_cast<size_t>(T * stride + 1), kGap) {}

  StridedRows& randomize(unsigned seed, float size = 1.f) {
    std::mt19937 engine(seed);
    for (int64_t t = 0; t < T_; ++t) {
      for (float& x : view().row(t)) x = size * (static_cast<float>(engine()) * 0x1p-31f - 1.f);
    }
    return *this;
  }

  Matrix<float> view() { return {data_.data() + 1, T_, HS_, stride_}; }
  Matrix<const float> view() const { return {data_.data() + 1, T_, HS_, stride_}; }
  float& at(int64_t t, int64_t h) { return view().at(t, h); }
  float at(int64_t t, int64_t h) const { return view().at(t, h); }
  int64_t rows() const { return T_; }
  int64_t cols() const { return HS_; }

  bool gaps_are_untouched() const {
    for (size_t i = 0; i < data_.size(); ++i) {
      const bool in_gap = i == 0 || static_cast<int64_t>(i - 1) % stride_ >= HS_;
      if (in_gap && data_[i] != kGap) return false;
    }
    return true;
  }

 private:
  int64_t T_, HS_, stride_;
  std::vector<float> data_;
};

// Scratch of exactly the size asked for, aligned as asked for; sanitizers see its ends.
class Scratch {
 public:
  explicit Scratch(size_t bytes, int fill = 0xFF)  // all bits set is a NaN
      : memory_(static_cast<std::byte*>(std::aligned_alloc(64, bytes)), std::free) {
    std::memset(memory_.get(), fill, bytes);
  }
  std::byte* data() const { return memory_.get(); }

 private:
  std::unique_ptr<std::byte, decltype(&std::free)> memory_;
};

// One head: what goes in and what comes out of both passes.
struct Head {
  Head(int64_t T, int64_t HS, float logit_size = 1.f)
      : q(T, HS, 3 * HS + 5),
        k(q),
        v(q),
        dq(q),
        dk(q),
        dv(q),
        out(T, HS, HS + 3),
        dout(out),
        lse(static_cast<size_t>(T), kNaN) {
    q.randomize(1, logit_size);
    k.randomize(2, logit_size);
    v.randomize(3);
    dout.randomize(4);
  }

  void forward(const Attention<float>& attention, int scratch_fill = 0xFF) {
    const Scratch scratch(attention.forward_scratch_bytes(), scratch_fill);
    attention.forward(q.view(), k.view(), v.view(), out.view(), lse, scratch.data());
  }
  void backward(const Attention<float>& attention, int scratch_fill = 0xFF) {
    const Scratch scratch(attention.backward_scratch_bytes(), scratch_fill);
    attention.backward(q.view(), k.view(), v.view(), out.view(), lse, dout.view(), dq.view(),
                       dk.view(), dv.view(), scratch.data());
  }

  StridedRows q, k, v, dq, dk, dv, out, dout;
  std::vector<float> lse;
};

// A (T, HS) matrix in double.
struct Doubles {
  Doubles(int64_t T, int64_t HS) : HS(HS), data(static_cast<size_t>(T * HS)) {}
  explicit Doubles(const StridedRows& x) : Doubles(x.rows(), x.cols()) {
    for (int64_t t = 0; t < x.rows(); ++t) {
      for (int64_t h = 0; h < HS; ++h) at(t, h) = x.at(t, h);
    }
  }
  double& at(int64_t t, int64_t h) { return data[static_cast<size_t>(t * HS + h)]; }
  double at(int64_t t, int64_t h) const { return data[static_cast<size_t>(t * HS + h)]; }

  int64_t HS;
  std::vector<double> data;
};

double dot(const Doubles& a, int64_t i, const Doubles& b, int64_t j) {
  double sum = 0.0;
  for (int64_t h = 0; h < a.HS; ++h) sum += a.at(i, h) * b.at(j, h);
  return sum;
}

// The definition of attention, (T, T) matrix and all, in double.
struct Reference {
  explicit Reference(const Head& head)
      : Reference(Doubles(head.q), Doubles(head.k), Doubles(head.v)) {}

  Reference(const Doubles& q, const Doubles& k, const Doubles& v)
      : T(static_cast<int64_t>(q.data.size()) / q.HS),
        scale(1.0 / std::sqrt(static_cast<double>(q.HS))),
        P(T, T),
        out(T, q.HS),
        dq(T, q.HS),
        dk(T, q.HS),
        dv(T, q.HS) {
    for (int64_t t = 0; t < T; ++t) {
      double max = -std::numeric_limits<double>::infinity(), sum = 0.0;
      for (int64_t s = 0; s <= t; ++s) max = std::max(max, P.at(t, s) = scale * dot(q, t, k, s));
      for (int64_t s = 0; s <= t; ++s) sum += P.at(t, s) = std::exp(P.at(t, s) - max);
      for (int64_t s = 0; s <= t; ++s) {
        P.at(t, s) /= sum;
        for (int64_t h = 0; h < q.HS; ++h) out.at(t, h) += P.at(t, s) * v.at(s, h);
      }
      lse.push_back(max + std::log(sum));
    }
  }

  // The gradient of sum(out * dout).
  void backward(const Head& head) {
    const Doubles q(head.q), k(head.k), v(head.v), dout(head.dout);
    for (int64_t t = 0; t < T; ++t) {
      for (int64_t s = 0; s <= t; ++s) {
        const double dP = dot(dout, t, v, s);
        const double dS = P.at(t, s) * (dP - dot(dout, t, out, t)) * scale;
        for (int64_t h = 0; h < q.HS; ++h) {
          dv.at(s, h) += P.at(t, s) * dout.at(t, h);
          dq.at(t, h) += dS * k.at(s, h);
          dk.at(s, h) += dS * q.at(t, h);
        }
      }
    }
  }

  int64_t T;
  double scale;
  Doubles P, out, dq, dk, dv;
  std::vector<double> lse;
};

void expect_close(const StridedRows& actual, const Doubles& expected, double tolerance,
                  const char* name) {
  for (int64_t t = 0; t < actual.rows(); ++t) {
    for (int64_t h = 0; h < actual.cols(); ++h) {
      ASSERT_NEAR(actual.at(t, h), expected.at(t, h), tolerance)
          << name << " at token " << t << ", channel " << h;
    }
  }
}

// Errors of n roundings of either sign grow like sqrt(n): HS of them in a score, T in a sum over
// tokens. The slack of 8 covers the exponential and unlucky signs; a wrong formula is off by 1e-2.
double rounding(int64_t T, int64_t HS) { return 8 * kEps * std::sqrt(static_cast<double>(T + HS)); }

std::vector<GemmBackend> backends() {
  if (resolve(GemmBackend::kAuto) == GemmBackend::kCblas) return {GemmBackend::kCblas};
  return {GemmBackend::kLibxsmm, GemmBackend::kCblas};
}

template <typename Check>
void for_each_size(Check check) {
  for (const GemmBackend backend : backends()) {
    for (const int64_t T : {1, 7, 16, 17, 63, 64, 65, 130}) {
      for (const int64_t HS : {1, 5, 15, 64, 80}) {
        SCOPED_TRACE(testing::Message()
                     << "T " << T << " HS " << HS << " " << gemm_description(backend));
        check(Attention<float>(T, HS, backend), Head(T, HS), T, HS);
      }
    }
  }
}

bool same_bits(const StridedRows& a, const StridedRows& b, int64_t first, int64_t n) {
  for (int64_t t = first; t < first + n; ++t) {
    const size_t bytes = sizeof(float) * static_cast<size_t>(a.cols());
    if (std::memcmp(a.view().row(t).data(), b.view().row(t).data(), bytes) != 0) return false;
  }
  return true;
}
bool same_bits(const StridedRows& a, const StridedRows& b) { return same_bits(a, b, 0, a.rows()); }

TEST(Attention, HandCheckedTwoTokens) {
  Head head(2, 1);
  head.q.at(1, 0) = 1.f;
  head.k.at(0, 0) = std::log(3.f);  // token 1 sees scores log 3 and 0: probabilities 3/4 and 1/4
  head.k.at(1, 0) = 0.f;
  head.v.at(0, 0) = 8.f;
  head.v.at(1, 0) = 4.f;

  head.forward(Attention<float>(2, 1));

  EXPECT_FLOAT_EQ(head.out.at(0, 0), 8.f);
  EXPECT_FLOAT_EQ(head.out.at(1, 0), 7.f);
  EXPECT_FLOAT_EQ(head.lse[1], std::log(4.f));
}

TEST(Attention, ForwardMatchesTheDefinition) {
  for_each_size([](const Attention<float>& attention, Head head, int64_t T, int64_t HS) {
    head.forward(attention);

    const Reference reference(head);
    expect_close(head.out, reference.out, rounding(T, HS), "out");
    for (int64_t t = 0; t < T; ++t) {
      // The logarithm of a sum is as exact as its largest score, which is below HS / sqrt(HS).
      ASSERT_NEAR(head.lse[t], reference.lse[t], rounding(T, HS) * (1 + std::sqrt(HS))) << t;
    }
  });
}

TEST(Attention, BackwardMatchesTheDefinition) {
  for_each_size([](const Attention<float>& attention, Head head, int64_t T, int64_t HS) {
    head.forward(attention);
    head.backward(attention);

    Reference reference(head);
    reference.backward(head);
    // The first tokens take part in every output: their dv reaches 2.
    expect_close(head.dv, reference.dv, 2 * rounding(T, HS), "dv");
    // dS is a difference of nearly equal numbers, dP and D, each as large as sqrt(HS).
    expect_close(head.dq, reference.dq, rounding(T, HS) * (1 + std::sqrt(HS)), "dq");
    expect_close(head.dk, reference.dk, rounding(T, HS) * (1 + std::sqrt(HS)), "dk");
  });
}

TEST(Attention, WritesOnlyItsOwnChannels) {
  for_each_size([](const Attention<float>& attention, Head head, int64_t, int64_t) {
    head.forward(attention);
    head.backward(attention);

    EXPECT_TRUE(head.out.gaps_are_untouched());
    EXPECT_TRUE(head.dq.gaps_are_untouched());
    EXPECT_TRUE(head.dk.gaps_are_untouched());
    EXPECT_TRUE(head.dv.gaps_are_untouched());
  });
}

// The differences are of the definition in double, so that their own error, h^2 = 1e-10, is far
// below the rounding of the kernel.
TEST(Attention, BackwardMatchesCentralDifferences) {
  constexpr int64_t T = 5, HS = 3;
  constexpr double h = 1e-5;
  Head head(T, HS);
  const Attention<float> attention(T, HS);
  head.forward(attention);
  head.backward(attention);

  const Doubles dout(head.dout);
  Doubles inputs[] = {Doubles(head.q), Doubles(head.k), Doubles(head.v)};
  const StridedRows* gradients[] = {&head.dq, &head.dk, &head.dv};
  const auto loss = [&] {
    const Doubles out = Reference(inputs[0], inputs[1], inputs[2]).out;
    double sum = 0.0;
    for (int64_t t = 0; t < T; ++t) sum += dot(out, t, dout, t);
    return sum;
  };
  for (int i = 0; i < 3; ++i) {
    for (int64_t t = 0; t < T; ++t) {
      for (int64_t c = 0; c < HS; ++c) {
        double& x = inputs[i].at(t, c);
        const double x0 = x;
        x = x0 + h;
        const double up = loss();
        x = x0 - h;
        const double down = loss();
        x = x0;
        EXPECT_NEAR(gradients[i]->at(t, c), (up - down) / (2 * h), rounding(T, HS) * 4)
            << "input " << i << " token " << t << " channel " << c;
      }
    }
  }
}

// Scores of up to 30 make the running maximum and the rescaling matter.
TEST(Attention, MatchesTheDefinitionWhenProbabilitiesAreSharp) {
  constexpr int64_t T = 130, HS = 16;
  Head head(T, HS, 4.f);
  const Attention<float> attention(T, HS);

  head.forward(attention);
  head.backward(attention);

  Reference reference(head);
  reference.backward(head);
  // An error of eps in a score of 30 is one of 30 eps in its probability.
  expect_close(head.out, reference.out, 30 * rounding(T, HS), "out");
  expect_close(head.dv, reference.dv, 30 * rounding(T, HS), "dv");
  expect_close(head.dq, reference.dq, 100 * rounding(T, HS), "dq");
  expect_close(head.dk, reference.dk, 100 * rounding(T, HS), "dk");
}

// The oldest keys have the largest scores, which exceed those of a query's own tile by less than
// the slack of the running softmax, by about as much, and by far more.
TEST(Attention, MatchesTheDefinitionWhenScoresFallFromTokenToToken) {
  constexpr int64_t T = 200, HS = 4;
  const Attention<float> attention(T, HS);
  for (const float fall : {0.01f, 0.05f, 0.1f, 1.f}) {
    SCOPED_TRACE(testing::Message() << "fall " << fall);
    Head head(T, HS);
    for (int64_t t = 0; t < T; ++t) {
      std::ranges::fill(head.q.view().row(t), 1.f);
      std::ranges::fill(head.k.view().row(t), -0.5f * fall * static_cast<float>(t));
    }

    head.forward(attention);
    head.backward(attention);

    Reference reference(head);
    reference.backward(head);
    // An error of eps in a score is one of eps times its size in its probability.
    const double tolerance = (1.0 + fall * T) * rounding(T, HS);
    expect_close(head.out, reference.out, tolerance, "out");
    // The first token is every query's favourite: its dv sums up to T of them.
    expect_close(head.dv, reference.dv, T * tolerance, "dv");
    expect_close(head.dq, reference.dq, T * tolerance, "dq");
    expect_close(head.dk, reference.dk, T * tolerance, "dk");
    for (int64_t t = 0; t < T; ++t) ASSERT_NEAR(head.lse[t], reference.lse[t], tolerance) << t;
  }
}

TEST(Attention, ChangingATokenChangesNoBitBeforeIt) {
  constexpr int64_t T = 130, HS = 15;
  const Attention<float> attention(T, HS);
  Head original(T, HS);
  original.forward(attention);

  for (const int64_t changed : {1, 2, 15, 16, 17, 31, 32, 47, 48, 49, 95, 96, 97, 128, 129}) {
    Head head(T, HS);
    for (StridedRows* x : {&head.q, &head.k, &head.v}) {
      for (float& value : x->view().row(changed)) value = 9.f - value;
    }
    head.forward(attention);

    EXPECT_TRUE(same_bits(head.out, original.out, 0, changed)) << changed;
    EXPECT_FALSE(same_bits(head.out, original.out, changed, 1)) << changed;
    const size_t bytes = sizeof(float) * static_cast<size_t>(changed);
    EXPECT_EQ(std::memcmp(head.lse.data(), original.lse.data(), bytes), 0) << changed;
  }
}

TEST(Attention, GradientsReachNoTokenAfterTheirOutput) {
  constexpr int64_t T = 130, HS = 15;
  const Attention<float> attention(T, HS);
  for (const int64_t last : {0, 15, 16, 47, 48, 96, 128}) {
    Head head(T, HS);
    head.forward(attention);
    for (int64_t t = last + 1; t < T; ++t) std::ranges::fill(head.dout.view().row(t), 0.f);

    head.backward(attention);

    for (int64_t t = last + 1; t < T; ++t) {
      for (int64_t h = 0; h < HS; ++h) {
        ASSERT_EQ(head.dq.at(t, h), 0.f) << t;
        ASSERT_EQ(head.dk.at(t, h), 0.f) << t;
        ASSERT_EQ(head.dv.at(t, h), 0.f) << t;
      }
    }
    EXPECT_NE(head.dv.at(last, 0), 0.f);
  }
}

// Every score is a small integer times a power of two, so fp32 holds it exactly; the largest
// overflows any exponential. HS = 4 makes the scale 1/2. Keys that grow or shrink from token to
// token put the maximum into the last tile or the first.
TEST(Attention, HugeScoresPickTheLargestAndStayFinite) {
  constexpr int64_t T = 70, HS = 4;
  const Attention<float> attention(T, HS);
  for (const float size : {0x1p20f, 0x1p100f}) {
    for (const bool growing : {true, false}) {
      Head head(T, HS);
      for (int64_t t = 0; t < T; ++t) {
        std::ranges::fill(head.q.view().row(t), 0.f);
        std::ranges::fill(head.k.view().row(t), 0.f);
        head.q.at(t, 0) = size;
        head.k.at(t, 0) = static_cast<float>(growing ? t + 1 : T - t);
      }

      head.forward(attention);
      head.backward(attention);

      for (int64_t t = 0; t < T; ++t) {
        const int64_t largest = growing ? t : 0;
        EXPECT_EQ(head.lse[t], 0.5f * size * head.k.at(largest, 0));
        for (int64_t h = 0; h < HS; ++h) {
          EXPECT_EQ(head.out.at(t, h), head.v.at(largest, h));
          EXPECT_TRUE(std::isfinite(head.dq.at(t, h)));
          EXPECT_TRUE(std::isfinite(head.dk.at(t, h)));
          if (growing) {
            EXPECT_EQ(head.dv.at(t, h), head.dout.at(t, h));
          }
        }
      }
    }
  }
}

// Here a score's own rounding error is astronomic, and exp of it must never be taken.
TEST(Attention, HugeInexactScoresGiveWeightedMeansAndFiniteGradients) {
  constexpr int64_t T = 70, HS = 5;
  const Attention<float> attention(T, HS);
  Head head(T, HS, 0x1p40f);

  head.forward(attention);
  head.backward(attention);

  for (int64_t t = 0; t < T; ++t) {
    EXPECT_TRUE(std::isfinite(head.lse[t])) << t;
    for (int64_t h = 0; h < HS; ++h) {
      EXPECT_LE(std::fabs(head.out.at(t, h)), 1.f) << t;
      EXPECT_TRUE(std::isfinite(head.dq.at(t, h))) << t;
      EXPECT_TRUE(std::isfinite(head.dk.at(t, h))) << t;
      EXPECT_LE(std::fabs(head.dv.at(t, h)), T) << t;
    }
  }
}

TEST(Attention, ANaNInAKeyIsSeenByEveryLaterTokenAndNoEarlierOne) {
  constexpr int64_t T = 70, HS = 5, kBad = 19;
  Head head(T, HS);
  head.k.at(kBad, 2) = kNaN;

  head.forward(Attention<float>(T, HS));

  for (int64_t t = 0; t < T; ++t) {
    EXPECT_EQ(std::isnan(head.out.at(t, 0)), t >= kBad) << t;
    EXPECT_EQ(std::isnan(head.lse[t]), t >= kBad) << t;
  }
}

TEST(Attention, GarbageInTheScratchChangesNoBit) {
  for_each_size([](const Attention<float>& attention, const Head& head, int64_t, int64_t) {
    Head zeros = head, nans = head;
    zeros.forward(attention, 0);
    zeros.backward(attention, 0);

    nans.forward(attention, 0xFF);
    nans.backward(attention, 0xFF);

    EXPECT_TRUE(same_bits(nans.out, zeros.out));
    EXPECT_EQ(nans.lse, zeros.lse);
    EXPECT_TRUE(same_bits(nans.dq, zeros.dq));
    EXPECT_TRUE(same_bits(nans.dk, zeros.dk));
    EXPECT_TRUE(same_bits(nans.dv, zeros.dv));
  });
}

TEST(Attention, MatchesTheDefinitionOnEveryTarget) {
  constexpr int64_t T = 70, HS = 21;
  for_each_target([] {
    const Attention<float> attention(T, HS);
    Head head(T, HS);

    head.forward(attention);
    head.backward(attention);

    Reference reference(head);
    reference.backward(head);
    // The tolerances are those of the tests above.
    expect_close(head.out, reference.out, rounding(T, HS), "out");
    expect_close(head.dv, reference.dv, 2 * rounding(T, HS), "dv");
    expect_close(head.dq, reference.dq, rounding(T, HS) * (1 + std::sqrt(HS)), "dq");
    expect_close(head.dk, reference.dk, rounding(T, HS) * (1 + std::sqrt(HS)), "dk");
  });
}

TEST(Attention, Avx2AndAvx512GiveTheSameBits) {
  for (const int64_t T : {17, 150}) {
    for (const int64_t HS : {5, 64}) {
      expect_same_bits_on_avx2_and_avx512([&] {
        const Attention<float> attention(T, HS);
        Head head(T, HS, 4.f);
        head.forward(attention);
        head.backward(attention);

        std::vector<float> all = head.lse;
        for (const StridedRows* x : {&head.out, &head.dq, &head.dk, &head.dv}) {
          for (int64_t t = 0; t < T; ++t) {
            const auto row = x->view().row(t);
            all.insert(all.end(), row.begin(), row.end());
          }
        }
        return all;
      });
    }
  }
}

TEST(Attention, ThreadsShareOneObjectAndGetTheSameBits) {
  constexpr int64_t T = 97, HS = 33;
  const Attention<float> attention(T, HS);
  std::vector<Head> heads(4, Head(T, HS));
  std::vector<std::thread> threads;

  for (Head& head : heads) {
    threads.emplace_back([&] {
      head.forward(attention);
      head.backward(attention);
    });
  }
  for (std::thread& thread : threads) thread.join();

  for (const Head& head : heads) {
    EXPECT_TRUE(same_bits(head.out, heads[0].out));
    EXPECT_TRUE(same_bits(head.dq, heads[0].dq));
    EXPECT_TRUE(same_bits(head.dk, heads[0].dk));
    EXPECT_TRUE(same_bits(head.dv, heads[0].dv));
  }
}

TEST(Attention, ScratchGrowsWithTAndNotWithItsSquare) {
  const Attention<float> half(4096, 64), whole(8192, 64);

  EXPECT_LE(whole.forward_scratch_bytes(), 2 * half.forward_scratch_bytes());
  EXPECT_LE(whole.backward_scratch_bytes(), 2 * half.backward_scratch_bytes());
}

TEST(Attention, RefusesAnEmptySequenceOrHead) {
  EXPECT_THROW(Attention<float>(0, 64), Error);
  EXPECT_THROW(Attention<float>(64, 0), Error);
}

// Same sums in another order: the tolerance of the forward pass.
TEST(AttentionCached, MatchesTheRowsOfForward) {
  for_each_size([](const Attention<float>& attention, Head head, int64_t T, int64_t HS) {
    head.forward(attention);
    for (const int64_t n : {int64_t{1}, T / 2, T}) {
      const int64_t p0 = T - n;
      StridedRows out(n, HS, HS + 3);
      std::vector<float> scores(static_cast<size_t>(T), kNaN);

      attention_cached(head.q.view().row_block(p0, n), head.k.view(), head.v.view(), p0, out.view(),
                       scores);

      Doubles expected(n, HS);
      for (int64_t t = 0; t < n; ++t) {
        for (int64_t h = 0; h < HS; ++h) expected.at(t, h) = head.out.at(p0 + t, h);
      }
      expect_close(out, expected, 2 * rounding(T, HS), "out");
      EXPECT_TRUE(out.gaps_are_untouched());
    }
  });
}

TEST(AttentionCached, OneQueryAtATimeGivesTheBitsOfManyAtOnce) {
  constexpr int64_t T = 37, HS = 19, p0 = 6, n = T - p0;
  Head head(T, HS);
  StridedRows together(n, HS, HS), alone(n, HS, HS);
  std::vector<float> scores(T);
  attention_cached(head.q.view().row_block(p0, n), head.k.view(), head.v.view(), p0,
                   together.view(), scores);

  for (int64_t t = 0; t < n; ++t) {
    // As many rows of cache as there are tokens: the later ones do not exist yet.
    const int64_t seen = p0 + t + 1;
    attention_cached(head.q.view().row_block(p0 + t, 1), head.k.view().row_block(0, seen),
                     head.v.view().row_block(0, seen), p0 + t, alone.view().row_block(t, 1),
                     scores);
  }

  EXPECT_TRUE(same_bits(alone, together));
}

TEST(AttentionCached, HugeScoresStayFinite) {
  constexpr int64_t T = 21, HS = 4;
  Head head(T, HS, 0x1p60f);
  std::vector<float> scores(T);

  attention_cached(head.q.view(), head.k.view(), head.v.view(), 0, head.out.view(), scores);

  for (int64_t t = 0; t < T; ++t) {
    for (int64_t h = 0; h < HS; ++h) EXPECT_LE(std::fabs(head.out.at(t, h)), 1.f);
  }
}

}  // namespace
}  // namespace weft
