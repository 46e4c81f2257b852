#include "kernels/linear.h"

#include <algorithm>

#include "base/error.h"
#include "base/math.h"
#include "kernels/elementwise.h"
#include "kernels/matvec.h"

namespace weft {
namespace {

int64_t piece(int64_t begin, int64_t n, int64_t size) { return std::min(size, n - begin); }

// The distance of rows of n elements: an odd number of cache lines, so that the same column of many
// rows does not fall on the same few lines of the first cache level.
template <typename T>
int64_t padded(int64_t n) {
  constexpr int64_t kLine = 64 / sizeof(T);
  return (ceil_div(n, kLine) | 1) * kLine;
}

}  // namespace

template <typename T>
PackedProduct<T>::PackedProduct(int64_t M, int64_t N, int64_t K, int64_t lda, int64_t ldc,
                                bool accumulate, GemmBackend backend)
    : N_(N), K_(K), lda_(lda), ldc_(ldc) {
  require(ldc > 0 || !accumulate, "a product adds to a result that outlives it");
  constexpr int64_t kColumns = Product<T>::kPieceColumns;
  const int64_t strip = std::min(M, Product<T>::strip_rows(K));
  for (int64_t m = 0; m < M; m += strip) {
    for (int64_t n = 0; n < N; n += kColumns) {
      const Piece c = {m, piece(m, M, strip), n, piece(n, N, kColumns)};
      const ProductShape shape = {.M = c.rows,
                                  .N = c.cols,
                                  .K = K,
                                  .lda = lda,
                                  .ldc = ldc == 0 ? c.cols : ldc,
                                  .accumulate = accumulate};
      steps_.push_back({c, Product<T>::kernel(shape, backend)});
    }
  }
}

template <typename T>
size_t PackedProduct<T>::scratch_bytes() const {
  return Product<T>::packed_bytes(K_, N_) + (ldc_ == 0 ? Product<T>::kPieceBytes : 0);
}

template <typename T>
void PackedProduct<T>::multiply(const T* A, float* C, std::byte* scratch,
                                const PieceDone& done) const noexcept {
  auto* const in_scratch = reinterpret_cast<float*>(scratch + Product<T>::packed_bytes(K_, N_));
  for (const Step& step : steps_) {
    const Piece& c = step.piece;
    float* const result = ldc_ == 0 ? in_scratch : C + c.row * ldc_ + c.col;
    step.gemm(A + c.row * lda_, packed(scratch) + Product<T>::packed_offset(K_, c.col), result);
    if (done) done(c, {result, c.rows, c.cols, step.gemm.shape().ldc});
  }
}

template <typename T>
LinearForward<T>::LinearForward(int64_t M, int64_t N, int64_t K, int64_t ldx, int64_t ldy,
                                GemmBackend backend)
    : reads_in_place_(std::is_same_v<T, float> && M == 1),
      product_(M, N, K, ldx, ldy, false, backend) {}

template <typename T>
void LinearForward<T>::operator()(Matrix<const T> x, Matrix<const float> W, Matrix<float> y,
                                  std::byte* scratch, const PieceDone& done) const noexcept {
  if constexpr (std::is_same_v<T, float>) {
    if (reads_in_place_) {
      matvec(W, x.row(0), y.row(0));
      if (done) done({0, 1, 0, W.rows}, y);
      return;
    }
  }
  Product<T>::pack_transposed(W, product_.packed(scratch));
  product_.multiply(x.data, y.data, scratch, done);
}

template <typename T>
void LinearForward<T>::operator()(Matrix<const float> x, Matrix<const BFloat16> W, Matrix<float> y,
                                  std::byte* /*scratch*/, const PieceDone& done) const noexcept
    requires(std::is_same_v<T, float>) {
  matvec(W, x.row(0), y.row(0));
  if (done) done({0, 1, 0, W.rows}, y);
}

template <typename T>
LinearBackwardInput<T>::LinearBackwardInput(int64_t M, int64_t N, int64_t K, int64_t lddy,
                                            int64_t lddx, bool accumulate, GemmBackend backend)
    : product_(M, K, N, lddy, lddx, accumulate, backend) {}

template <typename T>
void LinearBackwardInput<T>::operator()(Matrix<const T> dy, Matrix<const float> W, Matrix<float> dx,
                                        std::byte* scratch, const PieceDone& done) const noexcept {
  Product<T>::pack(W, product_.packed(scratch));
  product_.multiply(dy.data, dx.data, scratch, done);
}

template <typename T>
LinearBackwardWeight<T>::LinearBackwardWeight(int64_t M, int64_t N, int64_t K, int64_t lddw,
                                              bool accumulate, GemmBackend backend)
    : accumulate_(accumulate) {
  using P = Product<T>;
  for (int64_t out = 0; out < N; out += P::kOutputs) {
    for (int64_t m = 0; m < M; m += P::kBatchRows) {
      for (int64_t in = 0; in < K; in += P::kInputs) {
        const int64_t rows = piece(m, M, P::kBatchRows);
        const Piece dW = {out, piece(out, N, P::kOutputs), in, piece(in, K, P::kInputs)};
        const ProductShape shape = {.M = dW.rows,
                                    .N = dW.cols,
                                    .K = rows,
                                    .lda = padded<T>(rows),
                                    .ldc = lddw,
                                    .accumulate = accumulate || m > 0};
        steps_.push_back({m, rows, dW, P::kernel(shape, backend)});
      }
    }
  }
}

// The first step has the largest block of dy and the widest part of x.
template <typename T>
size_t LinearBackwardWeight<T>::scratch_bytes() const {
  const Step& first = steps_.front();
  return static_cast<size_t>(first.dW.rows * padded<T>(first.rows)) * sizeof(T) +
         Product<T>::packed_bytes(first.rows, first.dW.cols);
}

template <typename T>
void LinearBackwardWeight<T>::operator()(Matrix<const T> dy, Matrix<const T> x, Matrix<float> dW,
                                         Vector<float> db, std::byte* scratch,
                                         const PieceDone& done) const noexcept {
  if (!accumulate_) std::fill(db.begin(), db.end(), 0.f);
  for (const Step& s : steps_) {
    const Piece& c = s.dW;
    const Matrix<T> dyT(reinterpret_cast<T*>(scratch), c.rows, s.rows, padded<T>(s.rows));
    T* const packed = dyT.data + c.rows * dyT.stride;
    if (c.col == 0) {
      transpose(dy.block(s.row, s.rows, c.row, c.rows), dyT);
      if (!db.empty()) add_row_sums(dyT, db.subspan(size_t(c.row), size_t(c.rows)));
    }
    Product<T>::pack(x.block(s.row, s.rows, c.col, c.cols), packed);
    s.gemm(dyT.data, packed, &dW.at(c.row, c.col));
    if (done && s.row + s.rows == dy.rows) done(c, dW.block(c.row, c.rows, c.col, c.cols));
  }
}

template class PackedProduct<float>;
template class PackedProduct<BFloat16>;
template class LinearForward<float>;
template class LinearForward<BFloat16>;
template class LinearBackwardInput<float>;
template class LinearBackwardInput<BFloat16>;
template class LinearBackwardWeight<float>;
template class LinearBackwardWeight<BFloat16>;

}  // namespace weft
