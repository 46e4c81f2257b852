#include "kernels/attention.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/math.h"
#include "kernels/attention_tiles.h"
#include "kernels/row_prefetch.h"
#include "kernels/transpose.h"

// Scores are kept transposed, keys x queries (attention_tiles.h says why). With the operands
// packed as below, every product of both passes then reads its operands as they lie:
//   S^T   = k q^T         dv   += P^T dout
//   out^T = v^T P^T       dk   += dS^T q
//   dP^T  = v dout^T      dq^T += k^T dS^T

namespace weft {
namespace {

constexpr int64_t kFloatsOfALine = 16;
constexpr int64_t kMaxTile = 64;  // tokens; docs/decisions/attention.md compares

int64_t tile_size(int64_t T, int64_t HS) {
  require(T > 0 && HS > 0, "attention needs tokens and channels");
  return round_up(ceil_div(T, ceil_div(T, kMaxTile)), kStep);
}

// Cuts a block of memory into 64-byte aligned arrays; without memory it only counts.
class Cutter {
 public:
  explicit Cutter(std::byte* memory) : memory_(memory) {}

  Matrix<float> matrix(int64_t rows, int64_t cols) { return {cut(rows * cols), rows, cols}; }
  Vector<float> vector(int64_t n) { return {cut(n), static_cast<size_t>(memory_ ? n : 0)}; }
  size_t bytes() const { return bytes_; }

 private:
  float* cut(int64_t n) {
    const size_t begin = bytes_;
    bytes_ += sizeof(float) * static_cast<size_t>(round_up(n, kFloatsOfALine));
    return memory_ ? reinterpret_cast<float*>(memory_ + begin) : nullptr;
  }

  std::byte* memory_;
  size_t bytes_ = 0;
};

// (M, N) (+)= (M, K) (K, N), all contiguous.
GemmShape product(int64_t M, int64_t N, int64_t K, bool accumulate) {
  return {.M = M, .N = N, .K = K, .lda = K, .ldb = N, .ldc = N, .accumulate = accumulate};
}

// Part i of a matrix that is made of parts of n rows; the last part may have fewer.
template <typename T>
Matrix<T> part(Matrix<T> x, int64_t n, int64_t i) {
  return x.row_block(i * n, std::min(n, x.rows - i * n));
}

void clear(Matrix<float> x) { std::fill_n(x.data, x.rows * x.cols, 0.f); }

// packed = x, with zero rows after the last token.
void pack_rows(Matrix<const float> x, Matrix<float> packed) {
  copy(x, packed.row_block(0, x.rows));
  clear(packed.row_block(x.rows, packed.rows - x.rows));
}

// packed = x^T, with zero columns after the last token.
void pack_columns(Matrix<const float> x, Matrix<float> packed) {
  if (x.rows < packed.cols) clear(packed);
  transpose(x, packed.col_block(0, x.rows));
}

// x = packed^T, without the columns after the last token.
void unpack_columns(Matrix<const float> packed, Matrix<float> x) {
  transpose(packed.col_block(0, x.rows), x);
}

}  // namespace

// k (rows) and v (columns) of all tokens, tile after tile; the rest is of one tile of queries.
struct Attention::ForwardScratch {
  ForwardScratch(const Attention& a, std::byte* memory)
      : cutter(memory),
        k(cutter.matrix(a.tiles() * a.tile_, a.HS_)),
        vT(cutter.matrix(a.tiles() * a.HS_, a.tile_)),
        qT(cutter.matrix(a.HS_, a.tile_)),
        outT(cutter.matrix(a.HS_, a.tile_)),
        sT(cutter.matrix(a.tile_, a.tile_)),
        lse(cutter.vector(a.tile_)),
        softmax{cutter.vector(a.tile_), cutter.vector(a.tile_), cutter.vector(a.tile_)} {}

  Cutter cutter;
  Matrix<float> k, vT, qT, outT, sT;
  Vector<float> lse;
  RunningSoftmax softmax;
};

// k (rows and columns), v, dk and dv (rows) of all tokens, tile after tile; the rest is of one tile
// of queries.
struct Attention::BackwardScratch {
  BackwardScratch(const Attention& a, std::byte* memory)
      : cutter(memory),
        k(cutter.matrix(a.tiles() * a.tile_, a.HS_)),
        kT(cutter.matrix(a.tiles() * a.HS_, a.tile_)),
        v(cutter.matrix(a.tiles() * a.tile_, a.HS_)),
        dk(cutter.matrix(a.tiles() * a.tile_, a.HS_)),
        dv(cutter.matrix(a.tiles() * a.tile_, a.HS_)),
        q(cutter.matrix(a.tile_, a.HS_)),
        qT(cutter.matrix(a.HS_, a.tile_)),
        dout(cutter.matrix(a.tile_, a.HS_)),
        doutT(cutter.matrix(a.HS_, a.tile_)),
        dqT(cutter.matrix(a.HS_, a.tile_)),
        sT(cutter.matrix(a.tile_, a.tile_)),
        dpT(cutter.matrix(a.tile_, a.tile_)),
        lse(cutter.vector(a.tile_)),
        D(cutter.vector(a.tile_)) {}

  Cutter cutter;
  Matrix<float> k, kT, v, dk, dv, q, qT, dout, doutT, dqT, sT, dpT;
  Vector<float> lse, D;
};

Attention::Attention(int64_t T, int64_t HS, GemmBackend backend)
    : T_(T),
      HS_(HS),
      tile_(tile_size(T, HS)),
      scale_(1.f / std::sqrt(static_cast<float>(HS))),
      columns_(product(HS, tile_, tile_, true), backend),
      rows_(product(tile_, HS, tile_, true), backend) {
  for (int64_t t = 0; t < tile_; t += kStep) steps_.push_back(step(t, backend));
}

// The step that begins at token t of the diagonal tile.
Attention::Step Attention::step(int64_t t, GemmBackend backend) const {
  const int64_t seen = t + kStep, later = tile_ - t;
  return {
      .scores =
          Gemm({.M = kStep, .N = later, .K = HS_, .lda = HS_, .ldb = tile_, .ldc = tile_}, backend),
      .columns = Gemm({.M = HS_, .N = kStep, .K = seen, .lda = tile_, .ldb = tile_, .ldc = tile_},
                      backend),
      .rows =
          Gemm({.M = kStep, .N = HS_, .K = later, .lda = tile_, .ldb = HS_, .ldc = HS_}, backend),
  };
}

size_t Attention::forward_scratch_bytes() const {
  return ForwardScratch(*this, nullptr).cutter.bytes();
}

size_t Attention::backward_scratch_bytes() const {
  return BackwardScratch(*this, nullptr).cutter.bytes();
}

int64_t Attention::tiles() const { return ceil_div(T_, tile_); }

// S^T = k q^T or dP^T = v dout^T, a step of keys at a time.
void Attention::scores(bool diagonal, const float* keys, const float* queries, float* scores,
                       RowPrefetch& ahead) const noexcept {
  for (int64_t t = 0; t < tile_; t += kStep) {
    const int64_t first = diagonal ? t : 0;
    steps_[first / kStep].scores(keys + t * HS_, queries + first, scores + t * tile_ + first);
    ahead.advance(kStep);
  }
}

// out^T += v^T P^T or dq^T += k^T dS^T.
void Attention::sum_keys(bool diagonal, const float* keys, const float* scores, float* columns,
                         RowPrefetch& ahead) const noexcept {
  if (!diagonal) columns_(keys, scores, columns);
  for (int64_t t = 0; t < tile_; t += kStep) {
    if (diagonal) steps_[t / kStep].columns(keys, scores + t, columns + t);
    ahead.advance(kStep);
  }
}

// dv += P^T dout or dk += dS^T q.
void Attention::sum_queries(bool diagonal, const float* scores, const float* queries, float* rows,
                            RowPrefetch& ahead) const noexcept {
  if (!diagonal) rows_(scores, queries, rows);
  for (int64_t t = 0; t < tile_; t += kStep) {
    if (diagonal) {
      steps_[t / kStep].rows(scores + t * tile_ + t, queries + t * HS_, rows + t * HS_);
    }
    ahead.advance(kStep);
  }
}

void Attention::forward(Matrix<const float> q, Matrix<const float> k, Matrix<const float> v,
                        Matrix<float> out, Vector<float> lse, std::byte* scratch) const noexcept {
  const ForwardScratch s(*this, scratch);
  for (int64_t i = 0; i < tiles(); ++i) {
    pack_rows(part(k, tile_, i), part(s.k, tile_, i));
    pack_columns(part(v, tile_, i), part(s.vT, HS_, i));
    pack_columns(part(q, tile_, i), s.qT);
    const Matrix<float> out_rows = part(out, tile_, i);

    RowPrefetch ahead;
    ahead.will_write(out_rows);
    if (i + 1 < tiles()) {
      for (const auto& x : {k, v, q}) ahead.will_read(part(x, tile_, i + 1));
    }
    forward_tile(i, s, ahead);

    unpack_columns(s.outT, out_rows);
    std::copy_n(s.lse.data(), out_rows.rows, &lse[static_cast<size_t>(i * tile_)]);
  }
}

// Query tile i against the key tiles up to its own, the diagonal; later keys are all masked.
void Attention::forward_tile(int64_t i, const ForwardScratch& s,
                             RowPrefetch& ahead) const noexcept {
  scores(true, part(s.k, tile_, i).data, s.qT.data, s.sT.data, ahead);
  softmax_diagonal(scale_, s.sT, s.softmax);
  sum_keys(true, part(s.vT, HS_, i).data, s.sT.data, s.outT.data, ahead);
  for (int64_t j = 0; j < i; ++j) {
    scores(false, part(s.k, tile_, j).data, s.qT.data, s.sT.data, ahead);
    if (softmax_tile(scale_, s.sT, s.softmax)) scale_columns(s.softmax.rescale, s.outT);
    sum_keys(false, part(s.vT, HS_, j).data, s.sT.data, s.outT.data, ahead);
  }
  finish_softmax(scale_, s.softmax, s.lse);
  scale_columns(s.softmax.sum, s.outT);
}

void Attention::backward(Matrix<const float> q, Matrix<const float> k, Matrix<const float> v,
                         Matrix<const float> out, Vector<const float> lse, Matrix<const float> dout,
                         Matrix<float> dq, Matrix<float> dk, Matrix<float> dv,
                         std::byte* scratch) const noexcept {
  const BackwardScratch s(*this, scratch);
  for (int64_t i = 0; i < tiles(); ++i) {
    pack_rows(part(k, tile_, i), part(s.k, tile_, i));
    transpose(part(s.k, tile_, i), part(s.kT, HS_, i));
    pack_rows(part(v, tile_, i), part(s.v, tile_, i));
    pack_rows(part(q, tile_, i), s.q);
    transpose(s.q, s.qT);
    pack_rows(part(dout, tile_, i), s.dout);
    transpose(s.dout, s.doutT);
    pack_rows(part(Matrix(lse.data(), T_, 1), tile_, i), Matrix(s.lse.data(), tile_, 1));
    std::ranges::fill(s.D, 0.f);
    row_dots(part(out, tile_, i), s.dout, s.D);

    RowPrefetch ahead;
    for (const auto& x : {dq, dk, dv}) ahead.will_write(part(x, tile_, i));
    if (i + 1 < tiles()) {
      for (const auto& x : {k, v, q, dout, out}) ahead.will_read(part(x, tile_, i + 1));
    }
    backward_tile(i, s, ahead);

    scale(scale_, s.dqT);
    unpack_columns(s.dqT, part(dq, tile_, i));
  }
  scale(scale_, s.dk);
  copy(s.dk.row_block(0, T_), dk);
  copy(s.dv.row_block(0, T_), dv);
}

// Tokens after the last have zero q, dout and lse: a query of them adds exact zeros to dk and dv,
// and a key of them is masked.
void Attention::backward_tile(int64_t i, const BackwardScratch& s,
                              RowPrefetch& ahead) const noexcept {
  for (int64_t j = i; j >= 0; --j) {
    const bool diagonal = j == i;
    scores(diagonal, part(s.k, tile_, j).data, s.qT.data, s.sT.data, ahead);
    scores(diagonal, part(s.v, tile_, j).data, s.doutT.data, s.dpT.data, ahead);
    if (diagonal) {
      softmax_backward_diagonal(scale_, s.lse, s.D, s.sT, s.dpT);
    } else {
      softmax_backward_tile(scale_, s.lse, s.D, s.sT, s.dpT);
    }
    sum_queries(diagonal, s.sT.data, s.dout.data, part(s.dv, tile_, j).data, ahead);
    sum_queries(diagonal, s.dpT.data, s.q.data, part(s.dk, tile_, j).data, ahead);
    sum_keys(diagonal, part(s.kT, HS_, j).data, s.dpT.data, s.dqT.data, ahead);
  }
}

}  // namespace weft
