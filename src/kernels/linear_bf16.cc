#include "kernels/linear_bf16.h"

#include <algorithm>

#include "base/error.h"
#include "base/math.h"
#include "kernels/elementwise.h"
#include "kernels/pack_bf16.h"

namespace weft {
namespace {

// A strip of rows of A and all of the packed operand stay in the second cache level, and so does
// the piece of C that they meet in. docs/decisions/bf16.md has the measurements.
constexpr int64_t kStripRows = 256;
constexpr int64_t kPieceColumns = 128;
static_assert(kPieceColumns % kBf16PanelColumns == 0);

// Of dW: output channels whose part of dy is transposed at a time, input channels whose part of x
// is packed, and rows of the batch that one product sums over.
constexpr int64_t kOutputs = 384;
constexpr int64_t kInputs = 128;
constexpr int64_t kBatchRows = 1024;

constexpr int64_t kLine = 64 / sizeof(BFloat16);  // elements of a cache line

int64_t piece(int64_t begin, int64_t n, int64_t size) { return std::min(size, n - begin); }

// The distance of rows of n elements: an odd number of cache lines, so that the same column of many
// rows does not fall on the same few lines of the first cache level.
int64_t padded(int64_t n) { return (ceil_div(n, kLine) | 1) * kLine; }

BFloat16* elements(std::byte* scratch) { return reinterpret_cast<BFloat16*>(scratch); }

size_t bytes(int64_t bf16_elements) {
  return static_cast<size_t>(round_up(bf16_elements, kLine)) * sizeof(BFloat16);
}

}  // namespace

PackedProductBf16::PackedProductBf16(int64_t M, int64_t N, int64_t K, int64_t lda, int64_t ldc,
                                     bool accumulate)
    : N_(N), K_(K), lda_(lda), ldc_(ldc) {
  require(ldc > 0 || !accumulate, "a product adds to a result that outlives it");
  for (int64_t m = 0; m < M; m += kStripRows) {
    for (int64_t n = 0; n < N; n += kPieceColumns) {
      const Piece c = {m, piece(m, M, kStripRows), n, piece(n, N, kPieceColumns)};
      const GemmBf16Shape shape = {.M = c.rows,
                                   .N = c.cols,
                                   .K = K,
                                   .lda = lda,
                                   .ldc = ldc == 0 ? c.cols : ldc,
                                   .accumulate = accumulate};
      steps_.push_back({c, GemmBf16(shape)});
    }
  }
}

// The packed operand, then a piece of C.
size_t PackedProductBf16::scratch_bytes() const {
  const size_t piece_bytes = ldc_ == 0 ? kStripRows * kPieceColumns * sizeof(float) : 0;
  return bytes(packed_bf16_size(K_, N_)) + piece_bytes;
}

Vector<BFloat16> PackedProductBf16::packed(std::byte* scratch) const {
  return {elements(scratch), static_cast<size_t>(packed_bf16_size(K_, N_))};
}

void PackedProductBf16::multiply(const BFloat16* A, float* C, std::byte* scratch,
                                 const PieceDone& done) const noexcept {
  auto* const in_scratch = reinterpret_cast<float*>(scratch + bytes(packed_bf16_size(K_, N_)));
  for (const Step& step : steps_) {
    const Piece& c = step.piece;
    const BFloat16* const B =
        elements(scratch) + c.col / kBf16PanelColumns * bf16_panel_size(K_);
    float* const result = ldc_ == 0 ? in_scratch : C + c.row * ldc_ + c.col;
    step.gemm(A + c.row * lda_, B, result);
    if (done) done(c, {result, c.rows, c.cols, step.gemm.shape().ldc});
  }
}

void LinearForwardBf16::operator()(Matrix<const BFloat16> x, Matrix<const float> W,
                                   Matrix<float> y, std::byte* scratch,
                                   const PieceDone& done) const noexcept {
  pack_bf16_transposed(W, product_.packed(scratch));
  product_.multiply(x.data, y.data, scratch, done);
}

void LinearBackwardInputBf16::operator()(Matrix<const BFloat16> dy, Matrix<const float> W,
                                         Matrix<float> dx, std::byte* scratch,
                                         const PieceDone& done) const noexcept {
  pack_bf16(W, product_.packed(scratch));
  product_.multiply(dy.data, dx.data, scratch, done);
}

LinearBackwardWeightBf16::LinearBackwardWeightBf16(int64_t M, int64_t N, int64_t K, int64_t lddw,
                                                   bool accumulate)
    : accumulate_(accumulate) {
  for (int64_t out = 0; out < N; out += kOutputs) {
    for (int64_t m = 0; m < M; m += kBatchRows) {
      for (int64_t in = 0; in < K; in += kInputs) {
        const int64_t rows = piece(m, M, kBatchRows);
        const Piece dW = {out, piece(out, N, kOutputs), in, piece(in, K, kInputs)};
        const GemmBf16Shape shape = {.M = dW.rows,
                                     .N = dW.cols,
                                     .K = rows,
                                     .lda = padded(rows),
                                     .ldc = lddw,
                                     .accumulate = accumulate || m > 0};
        steps_.push_back({m, rows, dW, GemmBf16(shape)});
      }
    }
  }
}

// The first step has the largest block of dy and the widest part of x.
size_t LinearBackwardWeightBf16::scratch_bytes() const {
  const Step& first = steps_.front();
  return bytes(first.dW.rows * padded(first.rows)) +
         bytes(packed_bf16_size(first.rows, first.dW.cols));
}

void LinearBackwardWeightBf16::operator()(Matrix<const BFloat16> dy, Matrix<const BFloat16> x,
                                          Matrix<float> dW, Vector<float> db, std::byte* scratch,
                                          const PieceDone& done) const noexcept {
  if (!accumulate_) std::fill(db.begin(), db.end(), 0.f);
  for (const Step& s : steps_) {
    const Piece& c = s.dW;
    const Matrix<BFloat16> dyT(elements(scratch), c.rows, s.rows, padded(s.rows));
    const Vector<BFloat16> packed(elements(scratch) + round_up(c.rows * padded(s.rows), kLine),
                                  static_cast<size_t>(packed_bf16_size(s.rows, c.cols)));
    if (c.col == 0) {
      transpose(dy.block(s.row, s.rows, c.row, c.rows), dyT);
      if (!db.empty()) add_row_sums(dyT, db.subspan(size_t(c.row), size_t(c.rows)));
    }
    pack_bf16(x.block(s.row, s.rows, c.col, c.cols), packed);
    s.gemm(dyT.data, packed.data(), &dW.at(c.row, c.col));
    if (done && s.row + s.rows == dy.rows) done(c, dW.block(c.row, c.rows, c.col, c.cols));
  }
}

}  // namespace weft
