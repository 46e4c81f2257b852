#include "kernels/adamw.h"

#include <cmath>

#define HWY_TARGET_INCLUDE "kernels/adamw.cc"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

using FloatVector = hn::Vec<Floats>;

// The scalars of a step, derived in double and rounded once, as PyTorch does.
struct AdamWScalars {
  FloatVector grad_scale, decay, beta1, one_minus_beta1, beta2, one_minus_beta2;
  FloatVector step_size, inverse_sqrt_correction2, eps;
};

HWY_INLINE FloatVector rounded(double x) { return Set(Floats(), static_cast<float>(x)); }

HWY_INLINE AdamWScalars scalars_of(const AdamWStep& step) {
  return {.grad_scale = rounded(step.grad_scale),
          .decay = rounded(1 - step.lr * step.weight_decay),
          .beta1 = rounded(step.beta1),
          .one_minus_beta1 = rounded(1 - step.beta1),
          .beta2 = rounded(step.beta2),
          .one_minus_beta2 = rounded(1 - step.beta2),
          .step_size = rounded(step.lr / step.bias_correction1),
          .inverse_sqrt_correction2 = rounded(1 / std::sqrt(step.bias_correction2)),
          .eps = rounded(step.eps)};
}

void adamw_update(const AdamWStep& step, Vector<const float> grad, Vector<float> param,
                  Vector<float> m, Vector<float> v) {
  const AdamWScalars s = scalars_of(step);
  const int64_t n = static_cast<int64_t>(param.size());
  for_each_vector(Floats(), n, [=](auto io, int64_t i) HWY_ATTR {
    const FloatVector g = Mul(s.grad_scale, io.load(&grad[i]));
    const FloatVector first = MulAdd(s.beta1, io.load(&m[i]), Mul(s.one_minus_beta1, g));
    const FloatVector second = MulAdd(s.beta2, io.load(&v[i]), Mul(Mul(s.one_minus_beta2, g), g));
    const FloatVector denominator = MulAdd(Sqrt(second), s.inverse_sqrt_correction2, s.eps);
    const FloatVector decayed = Mul(s.decay, io.load(&param[i]));
    io.store(first, &m[i]);
    io.store(second, &v[i]);
    io.store(Sub(decayed, Div(Mul(s.step_size, first), denominator)), &param[i]);
  });
}

// The square of a float is exact in double, so only the additions round, in a fixed order.
double sum_of_squares(Vector<const float> x) {
  constexpr int64_t kSumLanes = 32;
  const hn::ScalableTag<double> doubles;
  const hn::Rebind<float, decltype(doubles)> floats;
  LaneSums<decltype(doubles), kSumLanes> sums;
  for_each_vector_in_groups<kSumLanes>(floats, static_cast<int64_t>(x.size()),
                                       [&](auto io, int64_t i, int64_t k) HWY_ATTR {
                                         prefetch_stream(&x[i]);
                                         const auto wide = PromoteTo(doubles, io.load(&x[i]));
                                         sums.add_product(k, wide, wide);
                                       });
  return sums.total();
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft {

HWY_EXPORT(adamw_update);
void adamw_update(const AdamWStep& step, Vector<const float> grad, Vector<float> param,
                  Vector<float> m, Vector<float> v) noexcept {
  HWY_DYNAMIC_DISPATCH(adamw_update)(step, grad, param, m, v);
}

HWY_EXPORT(sum_of_squares);
double sum_of_squares(Vector<const float> x) noexcept {
  return HWY_DYNAMIC_DISPATCH(sum_of_squares)(x);
}

}  // namespace weft
#endif
