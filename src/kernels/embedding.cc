#include "kernels/embedding.h"

#define HWY_TARGET_INCLUDE "kernels/embedding.cc"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weft::HWY_NAMESPACE {

// out = a + b. out may be a or b.
HWY_INLINE void add_rows(const float* a, const float* b, float* out, int64_t C) {
  for_each_vector(Floats(), C, [=](auto io, int64_t c) HWY_ATTR {
    prefetch_to_store(out + c);
    io.store(Add(io.load(a + c), io.load(b + c)), out + c);
  });
}

void embedding_forward(Vector<const int32_t> tokens, Vector<const int32_t> positions,
                       Matrix<const float> wte, Matrix<const float> wpe, Matrix<float> out) {
  for (int64_t i = 0; i < out.rows; ++i) {
    add_rows(wte.row(tokens[i]).data(), wpe.row(positions[i]).data(), out.row(i).data(), out.cols);
  }
}

void embedding_backward(Vector<const int32_t> indices, Matrix<const float> dout,
                        Matrix<float> dtable) {
  for (int64_t i = 0; i < dout.rows; ++i) {
    float* row = dtable.row(indices[i]).data();
    add_rows(row, dout.row(i).data(), row, dout.cols);
  }
}

}  // namespace weft::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft {

HWY_EXPORT(embedding_forward);
void embedding_forward(Vector<const int32_t> tokens, Vector<const int32_t> positions,
                       Matrix<const float> wte, Matrix<const float> wpe,
                       Matrix<float> out) noexcept {
  HWY_DYNAMIC_DISPATCH(embedding_forward)(tokens, positions, wte, wpe, out);
}

HWY_EXPORT(embedding_backward);
void embedding_backward(Vector<const int32_t> indices, Matrix<const float> dout,
                        Matrix<float> dtable) noexcept {
  HWY_DYNAMIC_DISPATCH(embedding_backward)(indices, dout, dtable);
}

}  // namespace weft
#endif
