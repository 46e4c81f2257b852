#include "kernels/linear.h"

#include <algorithm>

#include "base/math.h"
#include "kernels/elementwise.h"
#include "kernels/matvec.h"
#include "kernels/transpose.h"

namespace weft {
namespace {

// A strip of A of this many floats, at most, stays in the second cache level while all panels pass;
// its rows are a multiple of 48, which libxsmm's kernels cut into blocks of 6 without a rest.
// docs/decisions/matrix_products.md has the measurements.
constexpr int64_t kStripFloats = int64_t{48} << 10;
constexpr int64_t kStripUnit = 48;

// Of dW: output channels whose part of dy is transposed at a time, input channels whose part of x
// is packed, and rows of the batch that one product sums over.
constexpr int64_t kOutputs = 384;
constexpr int64_t kInputs = 64;
constexpr int64_t kBatchRows = 512;
constexpr int64_t kPanelColumns = PackedProduct::kPanelColumns;

int64_t piece(int64_t begin, int64_t n, int64_t size) { return std::min(size, n - begin); }

int64_t strip_rows(int64_t K) {
  return std::max(kStripUnit, kStripFloats / std::max<int64_t>(K, 1) / kStripUnit * kStripUnit);
}

// The distance of rows of n floats: an odd number of cache lines, so that the same column of many
// rows does not fall on the same few lines of the first cache level.
int64_t padded(int64_t n) { return (ceil_div(n, 16) | 1) * 16; }

Matrix<float> scratch_matrix(std::byte* scratch, int64_t first, int64_t rows, int64_t cols) {
  return {reinterpret_cast<float*>(scratch) + first, rows, cols};
}

}  // namespace

PackedProduct::PackedProduct(int64_t M, int64_t N, int64_t K, int64_t lda, int64_t ldc,
                             bool accumulate, GemmBackend backend)
    : N_(N), K_(K), lda_(lda), ldc_(ldc) {
  const int64_t strip = std::min<int64_t>(M, strip_rows(K));
  for (int64_t m = 0; m < M; m += strip) {
    for (int64_t n = 0; n < N; n += kPanelColumns) {
      const Piece c = {m, piece(m, M, strip), n, piece(n, N, kPanelColumns)};
      const GemmShape shape = {.M = c.rows,
                               .N = c.cols,
                               .K = K,
                               .lda = lda,
                               .ldb = c.cols,
                               .ldc = ldc,
                               .accumulate = accumulate};
      steps_.push_back({c, Gemm(shape, backend)});
    }
  }
}

Matrix<float> PackedProduct::panel(std::byte* scratch, int64_t col) const {
  return scratch_matrix(scratch, col * K_, K_, piece(col, N_, kPanelColumns));
}

void PackedProduct::multiply(const float* A, float* C, std::byte* scratch,
                             const PieceDone& done) const noexcept {
  for (const Step& step : steps_) {
    const Piece& c = step.piece;
    step.gemm(A + c.row * lda_, panel(scratch, c.col).data, C + c.row * ldc_ + c.col);
    if (done) done(c, {C + c.row * ldc_ + c.col, c.rows, c.cols, ldc_});
  }
}

LinearForward::LinearForward(int64_t M, int64_t N, int64_t K, int64_t ldx, int64_t ldy,
                             GemmBackend backend)
    : single_row_(M == 1), product_(M, N, K, ldx, ldy, false, backend) {}

void LinearForward::operator()(Matrix<const float> x, Matrix<const float> W, Matrix<float> y,
                               std::byte* scratch, const PieceDone& done) const noexcept {
  if (single_row_) {
    matvec(W, x.row(0), y.row(0));
    if (done) done({0, 1, 0, W.rows}, y);
    return;
  }
  for (int64_t n = 0; n < W.rows; n += kPanelColumns) {
    const Matrix<float> panel = product_.panel(scratch, n);
    transpose(W.row_block(n, panel.cols), panel);
  }
  product_.multiply(x.data, y.data, scratch, done);
}

void LinearForward::operator()(Matrix<const float> x, Matrix<const BFloat16> W, Matrix<float> y,
                               std::byte* /*scratch*/, const PieceDone& done) const noexcept {
  matvec(W, x.row(0), y.row(0));
  if (done) done({0, 1, 0, W.rows}, y);
}

LinearBackwardInput::LinearBackwardInput(int64_t M, int64_t N, int64_t K, int64_t lddy,
                                         int64_t lddx, bool accumulate, GemmBackend backend)
    : product_(M, K, N, lddy, lddx, accumulate, backend) {}

void LinearBackwardInput::operator()(Matrix<const float> dy, Matrix<const float> W,
                                     Matrix<float> dx, std::byte* scratch,
                                     const PieceDone& done) const noexcept {
  for (int64_t k = 0; k < W.cols; k += kPanelColumns) {
    const Matrix<float> panel = product_.panel(scratch, k);
    copy(W.col_block(k, panel.cols), panel);
  }
  product_.multiply(dy.data, dx.data, scratch, done);
}

LinearBackwardWeight::LinearBackwardWeight(int64_t M, int64_t N, int64_t K, int64_t lddw,
                                           bool accumulate, GemmBackend backend)
    : accumulate_(accumulate) {
  for (int64_t out = 0; out < N; out += kOutputs) {
    for (int64_t m = 0; m < M; m += kBatchRows) {
      for (int64_t in = 0; in < K; in += kInputs) {
        const int64_t rows = piece(m, M, kBatchRows);
        const Piece dW = {out, piece(out, N, kOutputs), in, piece(in, K, kInputs)};
        const GemmShape shape = {.M = dW.rows,
                                 .N = dW.cols,
                                 .K = rows,
                                 .lda = padded(rows),
                                 .ldb = dW.cols,
                                 .ldc = lddw,
                                 .accumulate = accumulate || m > 0};
        steps_.push_back({m, rows, dW, Gemm(shape, backend)});
      }
    }
  }
}

// The first step has the largest block of dy and the largest panel of x.
size_t LinearBackwardWeight::scratch_bytes() const {
  const Step& first = steps_.front();
  return static_cast<size_t>(first.dW.rows * padded(first.rows) + first.rows * first.dW.cols) *
         sizeof(float);
}

void LinearBackwardWeight::operator()(Matrix<const float> dy, Matrix<const float> x,
                                      Matrix<float> dW, Vector<float> db, std::byte* scratch,
                                      const PieceDone& done) const noexcept {
  if (!accumulate_) std::fill(db.begin(), db.end(), 0.f);
  for (const Step& s : steps_) {
    const Piece& c = s.dW;
    const Matrix<float> dyT =
        scratch_matrix(scratch, 0, c.rows, padded(s.rows)).col_block(0, s.rows);
    const Matrix<float> panel = scratch_matrix(scratch, c.rows * padded(s.rows), s.rows, c.cols);
    if (c.col == 0) {
      transpose(dy.block(s.row, s.rows, c.row, c.rows), dyT);
      if (!db.empty()) add_row_sums(dyT, db.subspan(size_t(c.row), size_t(c.rows)));
    }
    copy(x.block(s.row, s.rows, c.col, c.cols), panel);
    s.gemm(dyT.data, panel.data, &dW.at(c.row, c.col));
    if (done && s.row + s.rows == dy.rows) done(c, dW.block(c.row, c.rows, c.col, c.cols));
  }
}

}  // namespace weft
