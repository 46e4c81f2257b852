#include "kernels/layernorm.h"

#include <algorithm>
#include <cmath>

#define HWY_TARGET_INCLUDE "kernels/layernorm.cc"
#include "kernels/simd-inl.h"
// Below simd-inl.h, which it needs.
#include "kernels/bfloat16-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

// Four AVX-512 vectors of partial sums hide the latency of an addition. The backward pass has two
// sums, and AVX2 has 16 registers.
constexpr int64_t kSumLanes = 64, kBackwardSumLanes = 32;
using RowSums = LaneSums<Floats, kSumLanes>;
using BackwardRowSums = LaneSums<Floats, kBackwardSumLanes>;
using FloatVector = hn::Vec<Floats>;

HWY_INLINE float row_mean(const float* x, int64_t C) {
  RowSums sums;
  for_each_vector_in_groups<kSumLanes>(
      Floats(), C, [&](auto io, int64_t c, int64_t k) HWY_ATTR { sums.add(k, io.load(x + c)); });
  return sums.total() / static_cast<float>(C);
}

// Around the mean, in a second pass over the cached row: E[x^2] - E[x]^2 would cancel.
HWY_INLINE float row_variance(const float* x, int64_t C, float mean) {
  const Floats d;
  const FloatVector mean_v = Set(d, mean);
  RowSums sums;
  for_each_vector_in_groups<kSumLanes>(d, C, [&](auto io, int64_t c, int64_t k) HWY_ATTR {
    const FloatVector centered = io.valid_or(Sub(io.load(x + c), mean_v), Zero(d));
    sums.add_product(k, centered, centered);
  });
  return sums.total() / static_cast<float>(C);
}

template <typename T>
HWY_INLINE void normalize_rows(Matrix<const float> x, Vector<const float> weight,
                               Vector<const float> bias, Matrix<T> out, Vector<float> mean,
                               Vector<float> rstd) {
  const Floats d;
  for (int64_t r = 0; r < x.rows; ++r) {
    const float* in = x.row(r).data();
    T* result = out.row(r).data();
    mean[r] = row_mean(in, x.cols);
    rstd[r] = 1.f / std::sqrt(row_variance(in, x.cols, mean[r]) + kLayernormEps);

    const float* next_in = x.row(std::min(r + 1, x.rows - 1)).data();
    const FloatVector mean_v = Set(d, mean[r]), rstd_v = Set(d, rstd[r]);
    for_each_vector(d, x.cols, [&](auto io, int64_t c) HWY_ATTR {
      hwy::Prefetch(next_in + c);
      prefetch_to_store(result + c);
      const FloatVector xhat = Mul(Sub(io.load(in + c), mean_v), rstd_v);
      const FloatVector w = io.load(weight.data() + c), b = io.load(bias.data() + c);
      store(io, MulAdd(xhat, w, b), result + c);
    });
  }
}

void layernorm_forward(Matrix<const float> x, Vector<const float> weight, Vector<const float> bias,
                       Matrix<float> out, Vector<float> mean, Vector<float> rstd) {
  normalize_rows(x, weight, bias, out, mean, rstd);
}

void layernorm_forward_bf16(Matrix<const float> x, Vector<const float> weight,
                            Vector<const float> bias, Matrix<BFloat16> out, Vector<float> mean,
                            Vector<float> rstd) {
  normalize_rows(x, weight, bias, out, mean, rstd);
}

// One row of the backward pass, and the gradients of the parameters that every row adds to.
struct BackwardRow {
  int64_t C;
  float mean, rstd;
  const float *x, *weight, *dout;
  float *dx, *dweight, *dbias;
  const float *next_x, *next_dout, *next_dx;  // fetched on the way
};

struct BackwardMeans {
  float g;       // mean(g)
  float g_xhat;  // mean(g * xhat)
};

// Both means, and on the way dweight += dout * xhat, dbias += dout.
HWY_INLINE BackwardMeans add_parameter_gradients(const BackwardRow& row) {
  const Floats d;
  const FloatVector mean = Set(d, row.mean), rstd = Set(d, row.rstd);
  BackwardRowSums g_sums, g_xhat_sums;
  for_each_vector_in_groups<kBackwardSumLanes>(
      d, row.C, [&](auto io, int64_t c, int64_t k) HWY_ATTR {
        const FloatVector dout = io.load(row.dout + c);
        const FloatVector xhat = Mul(Sub(io.load(row.x + c), mean), rstd);
        const FloatVector g = Mul(dout, io.load(row.weight + c));
        g_sums.add(k, g);
        g_xhat_sums.add(k, io.valid_or(Mul(g, xhat), Zero(d)));
        io.store(MulAdd(dout, xhat, io.load(row.dweight + c)), row.dweight + c);
        io.store(Add(dout, io.load(row.dbias + c)), row.dbias + c);
      });
  const float C = static_cast<float>(row.C);
  return {g_sums.total() / C, g_xhat_sums.total() / C};
}

// dx += rstd * (g - mean(g) - xhat * mean(g * xhat))
HWY_INLINE void add_input_gradient(const BackwardRow& row, BackwardMeans means) {
  const Floats d;
  const FloatVector mean = Set(d, row.mean), rstd = Set(d, row.rstd);
  const FloatVector g_mean = Set(d, means.g), g_xhat_mean = Set(d, means.g_xhat);
  for_each_vector(d, row.C, [&](auto io, int64_t c) HWY_ATTR {
    hwy::Prefetch(row.next_x + c);
    hwy::Prefetch(row.next_dout + c);
    hwy::Prefetch(row.next_dx + c);
    const FloatVector xhat = Mul(Sub(io.load(row.x + c), mean), rstd);
    const FloatVector g = Mul(io.load(row.dout + c), io.load(row.weight + c));
    const FloatVector centered = NegMulAdd(xhat, g_xhat_mean, Sub(g, g_mean));
    io.store(MulAdd(rstd, centered, io.load(row.dx + c)), row.dx + c);
  });
}

void layernorm_backward(Matrix<const float> x, Vector<const float> weight, Vector<const float> mean,
                        Vector<const float> rstd, Matrix<const float> dout, Matrix<float> dx,
                        Vector<float> dweight, Vector<float> dbias) {
  std::fill(dweight.begin(), dweight.end(), 0.f);
  std::fill(dbias.begin(), dbias.end(), 0.f);
  for (int64_t r = 0; r < x.rows; ++r) {
    const int64_t next = std::min(r + 1, x.rows - 1);
    const BackwardRow row = {.C = x.cols,
                             .mean = mean[r],
                             .rstd = rstd[r],
                             .x = x.row(r).data(),
                             .weight = weight.data(),
                             .dout = dout.row(r).data(),
                             .dx = dx.row(r).data(),
                             .dweight = dweight.data(),
                             .dbias = dbias.data(),
                             .next_x = x.row(next).data(),
                             .next_dout = dout.row(next).data(),
                             .next_dx = dx.row(next).data()};
    add_input_gradient(row, add_parameter_gradients(row));
  }
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft {

HWY_EXPORT(layernorm_forward);
void layernorm_forward(Matrix<const float> x, Vector<const float> weight, Vector<const float> bias,
                       Matrix<float> out, Vector<float> mean, Vector<float> rstd) noexcept {
  HWY_DYNAMIC_DISPATCH(layernorm_forward)(x, weight, bias, out, mean, rstd);
}

HWY_EXPORT(layernorm_forward_bf16);
void layernorm_forward(Matrix<const float> x, Vector<const float> weight, Vector<const float> bias,
                       Matrix<BFloat16> out, Vector<float> mean, Vector<float> rstd) noexcept {
  HWY_DYNAMIC_DISPATCH(layernorm_forward_bf16)(x, weight, bias, out, mean, rstd);
}

HWY_EXPORT(layernorm_backward);
void layernorm_backward(Matrix<const float> x, Vector<const float> weight, Vector<const float> mean,
                        Vector<const float> rstd, Matrix<const float> dout, Matrix<float> dx,
                        Vector<float> dweight, Vector<float> dbias) noexcept {
  HWY_DYNAMIC_DISPATCH(layernorm_backward)(x, weight, mean, rstd, dout, dx, dweight, dbias);
}

}  // namespace weft
#endif
