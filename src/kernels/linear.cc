#include "kernels/linear.h"

#include <algorithm>

#include "kernels/matvec.h"
#include "kernels/transpose.h"

namespace weft {
namespace {

// A packed panel of kInner x kOuter floats is 32 KiB: with the strip of the other operand that
// meets it, it stays in the first two cache levels. Two threads, 128 rows, K or N of 3072: 64 x 128
// reached 320 to 347 GFLOP/s, 256 x 256 318 to 333, the natural layout without packing 147 to 333
// (worst where rows are 12 KiB apart).
constexpr int64_t kInner = 128;
constexpr int64_t kOuter = 64;

// Columns of dW per product, and rows of the batch per product.
constexpr int64_t kWeightColumns = 128;
constexpr int64_t kWeightRows = 256;

// Rows of x this many elements apart, or more, fall on the same few lines of the first cache level:
// then a panel of x is packed too.
constexpr int64_t kConflictingStride = 2048;

int64_t piece(int64_t begin, int64_t n, int64_t size) { return std::min(size, n - begin); }

// C (M, N) (+)= A (M, K) P (K, N), in panels of P; outer loop over N, so that a strip of C is
// finished before the next is begun.
std::vector<GemmPanel> cut_into_panels(int64_t M, int64_t N, int64_t K, int64_t lda, int64_t ldc,
                                       bool accumulate, GemmBackend backend) {
  std::vector<GemmPanel> panels;
  for (int64_t n = 0; n < N; n += kOuter) {
    for (int64_t k = 0; k < K; k += kInner) {
      const int64_t n_n = piece(n, N, kOuter), n_k = piece(k, K, kInner);
      const GemmShape shape = {.M = M,
                               .N = n_n,
                               .K = n_k,
                               .lda = lda,
                               .ldb = n_n,
                               .ldc = ldc,
                               .accumulate = accumulate || k > 0};
      panels.push_back({k, n_k, n, n_n, Gemm(shape, backend)});
    }
  }
  return panels;
}

Matrix<float> scratch_matrix(std::byte* scratch, int64_t rows, int64_t cols) {
  return {reinterpret_cast<float*>(scratch), rows, cols};
}

}  // namespace

LinearForward::LinearForward(int64_t M, int64_t N, int64_t K, int64_t ldx, int64_t ldy,
                             GemmBackend backend) {
  if (M > 1) panels_ = cut_into_panels(M, N, K, ldx, ldy, false, backend);
}

size_t LinearForward::scratch_bytes() const { return kInner * kOuter * sizeof(float); }

void LinearForward::operator()(Matrix<const float> x, Matrix<const float> W, Matrix<float> y,
                               std::byte* scratch) const noexcept {
  if (panels_.empty()) return matvec(W, x.row(0), y.row(0));
  // y[:, n..] += x[:, k..] (W[n.., k..])^T
  for (const GemmPanel& p : panels_) {
    const Matrix<float> packed = scratch_matrix(scratch, p.n_k, p.n_n);
    transpose(W.block(p.n, p.n_n, p.k, p.n_k), packed);
    p.gemm(x.data + p.k, packed.data, y.data + p.n);
  }
}

LinearBackwardInput::LinearBackwardInput(int64_t M, int64_t N, int64_t K, int64_t lddy,
                                         int64_t lddx, bool accumulate, GemmBackend backend)
    : panels_(cut_into_panels(M, K, N, lddy, lddx, accumulate, backend)) {}

size_t LinearBackwardInput::scratch_bytes() const { return kInner * kOuter * sizeof(float); }

void LinearBackwardInput::operator()(Matrix<const float> dy, Matrix<const float> W,
                                     Matrix<float> dx, std::byte* scratch) const noexcept {
  // dx[:, n..] += dy[:, k..] W[k.., n..]: here the inner dimension k runs over output channels.
  for (const GemmPanel& p : panels_) {
    const Matrix<float> packed = scratch_matrix(scratch, p.n_k, p.n_n);
    copy(W.block(p.k, p.n_k, p.n, p.n_n), packed);
    p.gemm(dy.data + p.k, packed.data, dx.data + p.n);
  }
}

LinearBackwardWeight::LinearBackwardWeight(int64_t M, int64_t N, int64_t K, int64_t ldx,
                                           int64_t lddw, GemmBackend backend)
    : pack_x_(ldx >= kConflictingStride) {
  for (int64_t m = 0; m < M; m += kWeightRows) {
    for (int64_t n = 0; n < K; n += kWeightColumns) {
      const int64_t n_m = piece(m, M, kWeightRows), n_n = piece(n, K, kWeightColumns);
      const GemmShape shape = {.M = N,
                               .N = n_n,
                               .K = n_m,
                               .lda = n_m,
                               .ldb = pack_x_ ? n_n : ldx,
                               .ldc = lddw,
                               .accumulate = true};
      panels_.push_back({m, n_m, n, n_n, Gemm(shape, backend)});
    }
  }
}

size_t LinearBackwardWeight::scratch_bytes() const {
  const int64_t N = panels_.front().gemm.shape().M;
  return static_cast<size_t>((N + kWeightColumns) * kWeightRows) * sizeof(float);
}

void LinearBackwardWeight::operator()(Matrix<const float> dy, Matrix<const float> x,
                                      Matrix<float> dW, std::byte* scratch) const noexcept {
  // dW[:, n..] += (dy[k.., :])^T x[k.., n..]: here the inner dimension k runs over rows of the
  // batch.
  std::byte* const x_scratch = scratch + static_cast<size_t>(dy.cols * kWeightRows) * sizeof(float);
  for (const GemmPanel& p : panels_) {
    const Matrix<float> dy_packed = scratch_matrix(scratch, dy.cols, p.n_k);
    const Matrix<float> x_packed = scratch_matrix(x_scratch, p.n_k, p.n_n);
    const Matrix<const float> x_panel = x.block(p.k, p.n_k, p.n, p.n_n);
    if (p.n == 0) transpose(dy.row_block(p.k, p.n_k), dy_packed);
    if (pack_x_) copy(x_panel, x_packed);
    p.gemm(dy_packed.data, pack_x_ ? x_packed.data : x_panel.data, dW.data + p.n);
  }
}

}  // namespace weft
