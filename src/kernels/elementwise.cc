#include "kernels/elementwise.h"

#include <algorithm>

#define HWY_TARGET_INCLUDE "kernels/elementwise.cc"
#include "kernels/simd-inl.h"
// Below simd-inl.h, which it needs.
#include "kernels/bfloat16-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

using FloatVector = hn::Vec<Floats>;

// gelu(x) = 0.5 x (1 + tanh(z / 2)) = x sigmoid(z), with z = x (kZ1 + kZ3 x^2).
constexpr float kZ1 = 1.5957691216f;  // 2 sqrt(2 / pi)
constexpr float kZ3 = kZ1 * 0.044715f;
constexpr float kLog2E = 1.44269504f;

constexpr int64_t kRowsAhead = 4;

// exp(-|z|): sigmoid(z) is 1 / (1 + e) where z >= 0 and e / (1 + e) where z < 0, and nothing
// overflows.
HWY_INLINE FloatVector exp_of_minus_z(Floats d, FloatVector x, FloatVector x_squared) {
  const FloatVector slope = MulAdd(Set(d, kLog2E * kZ3), x_squared, Set(d, kLog2E * kZ1));
  return exp2(d, Or(Mul(x, slope), SignBit(d)));
}

HWY_INLINE FloatVector gelu(Floats d, FloatVector x) {
  const FloatVector one = Set(d, 1.f);
  const FloatVector e = exp_of_minus_z(d, x, Mul(x, x));
  return Div(Mul(x, IfNegativeThenElse(x, e, one)), Add(one, e));
}

struct GeluWithDerivative {
  FloatVector y, derivative;
};

// gelu(x) = x s and gelu'(x) = s + x s (1 - s) z'(x), with s = sigmoid(z).
HWY_INLINE GeluWithDerivative gelu_with_derivative(Floats d, FloatVector x) {
  // From |x| = 11 on, e is 0: with this limit, what it is multiplied with stays finite.
  const FloatVector x_squared = Min(Mul(x, x), Set(d, 1024.f));
  const FloatVector e = exp_of_minus_z(d, x, x_squared);
  const FloatVector larger = Div(Set(d, 1.f), Add(Set(d, 1.f), e));  // of s and 1 - s
  const FloatVector smaller = Mul(e, larger);
  const FloatVector dz = MulAdd(Set(d, 3 * kZ3), x_squared, Set(d, kZ1));
  const FloatVector s = IfNegativeThenElse(x, smaller, larger);
  return {Mul(x, s), MulAdd(Mul(x, Mul(smaller, larger)), dz, s)};
}

// y = x + bias. y may be x.
template <typename T>
HWY_INLINE void add_bias_to(Matrix<const float> x, Vector<const float> bias, Matrix<T> y) {
  for (int64_t r = 0; r < y.rows; ++r) {
    const float* in = x.row(r).data();
    T* out = y.row(r).data();
    for_each_vector(Floats(), y.cols, [&](auto io, int64_t c) HWY_ATTR {
      store(io, Add(io.load(in + c), io.load(bias.data() + c)), out + c);
    });
  }
}

void add_bias(Vector<const float> bias, Matrix<float> y) { add_bias_to<float>(y, bias, y); }

void add_bias_bf16(Vector<const float> bias, Matrix<const float> x, Matrix<BFloat16> y) {
  add_bias_to(x, bias, y);
}

void add_bias_residual(Vector<const float> bias, Matrix<const float> residual, Matrix<float> y) {
  for (int64_t r = 0; r < y.rows; ++r) {
    const float* other = residual.row(r).data();
    float* row = y.row(r).data();
    for_each_vector(Floats(), y.cols, [&](auto io, int64_t c) HWY_ATTR {
      const FloatVector biased = Add(io.load(row + c), io.load(bias.data() + c));
      io.store(Add(biased, io.load(other + c)), row + c);
    });
  }
}

// y = x + bias, out = gelu(y as it is stored). y may be x.
template <typename T>
HWY_INLINE void add_bias_gelu_to(Matrix<const float> x, Vector<const float> bias, Matrix<T> y,
                                 Matrix<T> out) {
  const Floats d;
  for (int64_t r = 0; r < x.rows; ++r) {
    const float* in = x.row(r).data();
    T *biased = y.row(r).data(), *result = out.row(r).data();
    const int64_t ahead = std::min(r + kRowsAhead, x.rows - 1);
    const T *biased_ahead = y.row(ahead).data(), *result_ahead = out.row(ahead).data();
    for_each_vector(d, x.cols, [&](auto io, int64_t c) HWY_ATTR {
      hwy::Prefetch(biased_ahead + c);
      hwy::Prefetch(result_ahead + c);
      store(io, Add(io.load(in + c), io.load(bias.data() + c)), biased + c);
      store(io, gelu(d, load(io, biased + c)), result + c);
    });
  }
}

void add_bias_gelu(Vector<const float> bias, Matrix<float> x, Matrix<float> out) {
  add_bias_gelu_to<float>(x, bias, x, out);
}

void add_bias_gelu_bf16(Vector<const float> bias, Matrix<const float> x, Matrix<BFloat16> y,
                        Matrix<BFloat16> out) {
  add_bias_gelu_to(x, bias, y, out);
}

// dx = dout * gelu'(x), y = gelu(x). dx may be dout.
template <typename T>
HWY_INLINE void gelu_backward_to(Matrix<const T> x, Matrix<const float> dout, Matrix<T> dx,
                                 Matrix<T> y) {
  const Floats d;
  for (int64_t r = 0; r < x.rows; ++r) {
    const T* in = x.row(r).data();
    const float* out_gradient = dout.row(r).data();
    T *gradient = dx.row(r).data(), *result = y.row(r).data();
    const int64_t ahead = std::min(r + kRowsAhead, x.rows - 1);
    const T *in_ahead = x.row(ahead).data(), *gradient_ahead = dx.row(ahead).data(),
            *result_ahead = y.row(ahead).data();
    for_each_vector(d, x.cols, [&](auto io, int64_t c) HWY_ATTR {
      hwy::Prefetch(in_ahead + c);
      hwy::Prefetch(gradient_ahead + c);
      hwy::Prefetch(result_ahead + c);
      const GeluWithDerivative gelu = gelu_with_derivative(d, load(io, in + c));
      store(io, Mul(io.load(out_gradient + c), gelu.derivative), gradient + c);
      store(io, gelu.y, result + c);
    });
  }
}

void gelu_backward(Matrix<const float> x, Matrix<float> dx, Matrix<float> y) {
  gelu_backward_to<float>(x, dx, dx, y);
}

void gelu_backward_bf16(Matrix<const BFloat16> x, Matrix<const float> dout, Matrix<BFloat16> dx,
                        Matrix<BFloat16> y) {
  gelu_backward_to(x, dout, dx, y);
}

HWY_INLINE void add_row(const float* addend, float* sum, int64_t n) {
  for_each_vector(Floats(), n, [=](auto io, int64_t i) HWY_ATTR {
    io.store(Add(io.load(sum + i), io.load(addend + i)), sum + i);
  });
}

void add(Vector<const float> addend, Vector<float> sum) {
  add_row(addend.data(), sum.data(), static_cast<int64_t>(sum.size()));
}

// sums += row 0, then += row 1, and so on, for kRows rows of x and n columns.
template <int64_t kRows>
HWY_INLINE void add_rows(Matrix<const float> x, int64_t r, int64_t c, float* sums, int64_t n) {
  const float* first = &x.at(r, c);
  for_each_vector(Floats(), n, [=](auto io, int64_t i) HWY_ATTR {
    FloatVector sum = io.load(sums + i);
    for (int64_t k = 0; k < kRows; ++k) sum = Add(sum, io.load(first + k * x.stride + i));
    io.store(sum, sums + i);
  });
}

// In strips of columns whose sums stay in L1, and of rows between which they stay in registers.
void add_column_sums(Matrix<const float> x, Vector<float> sums) {
  constexpr int64_t kStrip = 1024, kRows = 8;
  float strip[kStrip];
  for (int64_t c = 0; c < x.cols; c += kStrip) {
    const int64_t n = std::min(kStrip, x.cols - c);
    std::fill_n(strip, n, 0.f);
    int64_t r = 0;
    for (; r + kRows <= x.rows; r += kRows) add_rows<kRows>(x, r, c, strip, n);
    for (; r < x.rows; ++r) add_rows<1>(x, r, c, strip, n);
    add_row(strip, sums.data() + c, n);
  }
}

template <typename T>
HWY_INLINE void add_sums_of_rows(Matrix<const T> x, Vector<float> sums) {
  constexpr int64_t kSumLanes = 64;
  for (int64_t r = 0; r < x.rows; ++r) {
    const T* row = x.row(r).data();
    LaneSums<Floats, kSumLanes> lanes;
    for_each_vector_in_groups<kSumLanes>(Floats(), x.cols,
                                         [&](auto io, int64_t c, int64_t k)
                                             HWY_ATTR { lanes.add(k, load(io, row + c)); });
    sums[static_cast<size_t>(r)] += lanes.total();
  }
}

void add_row_sums(Matrix<const float> x, Vector<float> sums) { add_sums_of_rows(x, sums); }

void add_row_sums_bf16(Matrix<const BFloat16> x, Vector<float> sums) { add_sums_of_rows(x, sums); }

void fill_zero(Matrix<float> x) {
  for (int64_t r = 0; r < x.rows; ++r) {
    float* row = x.row(r).data();
    for_each_vector(Floats(), x.cols, [=](auto io, int64_t c) HWY_ATTR {
      prefetch_to_store(row + c);
      io.store(Zero(Floats()), row + c);
    });
  }
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft {

HWY_EXPORT(add_bias);
void add_bias(Vector<const float> bias, Matrix<float> y) noexcept {
  HWY_DYNAMIC_DISPATCH(add_bias)(bias, y);
}

HWY_EXPORT(add_bias_bf16);
void add_bias(Vector<const float> bias, Matrix<const float> x, Matrix<BFloat16> y) noexcept {
  HWY_DYNAMIC_DISPATCH(add_bias_bf16)(bias, x, y);
}

HWY_EXPORT(add_bias_residual);
void add_bias_residual(Vector<const float> bias, Matrix<const float> residual,
                       Matrix<float> y) noexcept {
  HWY_DYNAMIC_DISPATCH(add_bias_residual)(bias, residual, y);
}

HWY_EXPORT(add_bias_gelu);
void add_bias_gelu(Vector<const float> bias, Matrix<float> x, Matrix<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(add_bias_gelu)(bias, x, out);
}

HWY_EXPORT(add_bias_gelu_bf16);
void add_bias_gelu(Vector<const float> bias, Matrix<const float> x, Matrix<BFloat16> y,
                   Matrix<BFloat16> out) noexcept {
  HWY_DYNAMIC_DISPATCH(add_bias_gelu_bf16)(bias, x, y, out);
}

HWY_EXPORT(gelu_backward);
void gelu_backward(Matrix<const float> x, Matrix<float> dx, Matrix<float> y) noexcept {
  HWY_DYNAMIC_DISPATCH(gelu_backward)(x, dx, y);
}

HWY_EXPORT(gelu_backward_bf16);
void gelu_backward(Matrix<const BFloat16> x, Matrix<const float> dout, Matrix<BFloat16> dx,
                   Matrix<BFloat16> y) noexcept {
  HWY_DYNAMIC_DISPATCH(gelu_backward_bf16)(x, dout, dx, y);
}

HWY_EXPORT(add_column_sums);
void add_column_sums(Matrix<const float> x, Vector<float> sums) noexcept {
  HWY_DYNAMIC_DISPATCH(add_column_sums)(x, sums);
}

HWY_EXPORT(add);
void add(Vector<const float> addend, Vector<float> sum) noexcept {
  HWY_DYNAMIC_DISPATCH(add)(addend, sum);
}

HWY_EXPORT(add_row_sums);
void add_row_sums(Matrix<const float> x, Vector<float> sums) noexcept {
  HWY_DYNAMIC_DISPATCH(add_row_sums)(x, sums);
}

HWY_EXPORT(add_row_sums_bf16);
void add_row_sums(Matrix<const BFloat16> x, Vector<float> sums) noexcept {
  HWY_DYNAMIC_DISPATCH(add_row_sums_bf16)(x, sums);
}

HWY_EXPORT(fill_zero);
void fill_zero(Matrix<float> x) noexcept { HWY_DYNAMIC_DISPATCH(fill_zero)(x); }

}  // namespace weft
#endif
