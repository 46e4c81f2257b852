#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "kernels/attention.h"
#include "support/bf16_matrix.h"

namespace weft {
namespace {

// Scratch of exactly the size asked for; sanitizers see its ends.
class Scratch {
 public:
  explicit Scratch(size_t bytes, int fill)
      : memory_(static_cast<std::byte*>(std::aligned_alloc(64, bytes)), std::free) {
    std::memset(memory_.get(), fill, bytes);
  }
  std::byte* data() const { return memory_.get(); }

 private:
  std::unique_ptr<std::byte, decltype(&std::free)> memory_;
};

struct Head {
  Head(int64_t T, int64_t HS, double logit_size = 1.)
      : q(Bf16Matrix::normal(T, HS, 1, logit_size)),
        k(Bf16Matrix::normal(T, HS, 2, logit_size)),
        v(Bf16Matrix::normal(T, HS, 3)),
        dout(Bf16Matrix::normal(T, HS, 4)),
        out(T, HS),
        dq(T, HS),
        dk(T, HS),
        dv(T, HS),
        lse(static_cast<size_t>(T)) {}

  // 0xFF: all bits set is a NaN.
  void run(const Attention<BFloat16>& attention, int scratch_fill = 0xFF) {
    const Scratch forward(attention.forward_scratch_bytes(), scratch_fill);
    attention.forward(q.view(), k.view(), v.view(), out.view(), lse, forward.data());
    const Scratch backward(attention.backward_scratch_bytes(), scratch_fill);
    attention.backward(q.view(), k.view(), v.view(), out.view(), lse, dout.view(), dq.view(),
                       dk.view(), dv.view(), backward.data());
  }

  Bf16Matrix q, k, v, dout, out, dq, dk, dv;
  std::vector<float> lse;
};

// A (rows, cols) matrix in double.
struct Doubles {
  Doubles(int64_t rows, int64_t cols) : cols(cols), data(static_cast<size_t>(rows * cols)) {}
  double& at(int64_t r, int64_t c) { return data[static_cast<size_t>(r * cols + c)]; }

  int64_t cols;
  std::vector<double> data;
};

// The definition in double, and what rounding to bf16 may change of it. Three roundings to 8
// bits, by up to 2^-8, matter: of P or dS before a sum, of `out` before D, and of the result.
struct Reference {
  static constexpr double kRounding = 0x1p-8;

  Reference(Head& head, int64_t T, int64_t HS)
      : out(T, HS),
        dq(T, HS),
        dk(T, HS),
        dv(T, HS),
        out_error(T, HS),
        dq_error(T, HS),
        dk_error(T, HS),
        dv_error(T, HS) {
    const double scale = 1. / std::sqrt(static_cast<double>(HS));
    const auto dot = [HS](Bf16Matrix& a, int64_t i, Bf16Matrix& b, int64_t j) {
      double sum = 0.;
      for (int64_t h = 0; h < HS; ++h) sum += double(a.value(i, h)) * double(b.value(j, h));
      return sum;
    };
    Doubles P(T, T);
    for (int64_t t = 0; t < T; ++t) {
      double max = -1e300, sum = 0.;
      for (int64_t s = 0; s <= t; ++s) max = std::max(max, scale * dot(head.q, t, head.k, s));
      for (int64_t s = 0; s <= t; ++s) {
        sum += P.at(t, s) = std::exp(scale * dot(head.q, t, head.k, s) - max);
      }
      lse.push_back(max + std::log(sum));
      double D = 0., D_size = 0.;
      for (int64_t s = 0; s <= t; ++s) P.at(t, s) /= sum;
      for (int64_t h = 0; h < HS; ++h) {
        double size = 0.;
        for (int64_t s = 0; s <= t; ++s) {
          out.at(t, h) += P.at(t, s) * head.v.value(s, h);
          size += P.at(t, s) * std::fabs(head.v.value(s, h));
        }
        out_error.at(t, h) = kRounding * (size + std::fabs(out.at(t, h)));
        D += head.dout.value(t, h) * out.at(t, h);
        D_size += std::fabs(head.dout.value(t, h)) * out_error.at(t, h);
      }
      for (int64_t s = 0; s <= t; ++s) {
        const double dS = P.at(t, s) * (dot(head.dout, t, head.v, s) - D) * scale;
        const double dS_error = kRounding * std::fabs(dS) + P.at(t, s) * D_size * scale;
        for (int64_t h = 0; h < HS; ++h) {
          const double q = head.q.value(t, h), k = head.k.value(s, h), d = head.dout.value(t, h);
          dv.at(s, h) += P.at(t, s) * d;
          dq.at(t, h) += dS * k;
          dk.at(s, h) += dS * q;
          dv_error.at(s, h) += kRounding * P.at(t, s) * std::fabs(d);
          dq_error.at(t, h) += dS_error * std::fabs(k);
          dk_error.at(s, h) += dS_error * std::fabs(q);
        }
      }
    }
  }

  std::vector<double> lse;
  Doubles out, dq, dk, dv;
  Doubles out_error, dq_error, dk_error, dv_error;
};

// 1e-5: what fp32 sums and exponentials add, for operands of this size.
void expect_close(Bf16Matrix& actual, Doubles& expected, Doubles& error, const char* name) {
  for (int64_t t = 0; t < actual.rows(); ++t) {
    for (int64_t h = 0; h < actual.cols(); ++h) {
      const double e = expected.at(t, h);
      ASSERT_NEAR(actual.value(t, h), e,
                  error.at(t, h) + Reference::kRounding * std::fabs(e) + 1e-5)
          << name << " at token " << t << ", channel " << h;
    }
  }
  EXPECT_TRUE(actual.gaps_hold()) << name;
}

class AttentionBf16Test : public testing::Test {
 protected:
  void SetUp() override {
    if (!cpu_has_bf16()) GTEST_SKIP() << "this machine has no bf16 products";
  }
};

TEST_F(AttentionBf16Test, MatchesTheDefinitionWithinTheRoundingOfBf16) {
  for (const int64_t T : {1, 7, 16, 33, 64, 65, 150}) {
    for (const int64_t HS : {1, 15, 64, 80}) {
      SCOPED_TRACE(testing::Message() << "T " << T << " HS " << HS);
      Head head(T, HS);

      head.run(Attention<BFloat16>(T, HS));

      Reference r(head, T, HS);
      expect_close(head.out, r.out, r.out_error, "out");
      expect_close(head.dq, r.dq, r.dq_error, "dq");
      expect_close(head.dk, r.dk, r.dk_error, "dk");
      expect_close(head.dv, r.dv, r.dv_error, "dv");
      for (int64_t t = 0; t < T; ++t) ASSERT_NEAR(head.lse[size_t(t)], r.lse[size_t(t)], 1e-5);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_F(AttentionBf16Test, DoesNotDependOnItsScratch) {
  Head a(75, 20), b(75, 20);
  const Attention<BFloat16> attention(75, 20);

  a.run(attention, 0xFF);
  b.run(attention, 0x3C);

  EXPECT_EQ(a.out.values(), b.out.values());
  EXPECT_EQ(a.dq.values(), b.dq.values());
  EXPECT_EQ(a.dk.values(), b.dk.values());
  EXPECT_EQ(a.dv.values(), b.dv.values());
}

TEST_F(AttentionBf16Test, LaterTokensChangeNothingBefore) {
  constexpr int64_t T = 70, HS = 12, kChanged = 33;
  Head a(T, HS), b(T, HS);
  for (Bf16Matrix* x : {&b.q, &b.k, &b.v}) {
    for (BFloat16& value : x->view().row(kChanged)) value = to_bfloat16(3.f);
  }

  a.run(Attention<BFloat16>(T, HS));
  b.run(Attention<BFloat16>(T, HS));

  const auto before = a.out.values(), after = b.out.values();
  EXPECT_TRUE(std::equal(before.begin(), before.begin() + kChanged * HS, after.begin()));
  EXPECT_NE(before, after);
}

// Scores of +-1e4 and more: only their differences matter.
TEST_F(AttentionBf16Test, StaysFiniteForHugeScores) {
  Head head(80, 16, 100.);

  head.run(Attention<BFloat16>(80, 16));

  for (Bf16Matrix* x : {&head.out, &head.dq, &head.dk, &head.dv}) {
    for (const float value : x->values()) ASSERT_TRUE(std::isfinite(value));
  }
}

}  // namespace
}  // namespace weft
