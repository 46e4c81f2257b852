#include "kernels/attention.h"

#include <algorithm>
#include <cmath>

#include "base/math.h"
#include "kernels/attention_tiles.h"
#include "kernels/row_prefetch.h"
#include "kernels/scratch_cutter.h"
#include "kernels/transpose.h"

// Scores are kept transposed, keys x queries (attention_tiles.h says why). So q and dout are packed
// transposed too, and two products read the scores by columns; all else lies as a product wants it.
//   S^T  = k q^T        out += P v         dv += P^T dout
//   dP^T = v dout^T     dq  += dS k        dk += dS^T q

namespace weft {
namespace {

// Sums over n tokens: (M, HS) = (M, n) (n, HS), the left operand being a part of a tile of scores.
GemmShape sum(int64_t M, int64_t n, int64_t HS, int64_t tile) {
  return {.M = M, .N = HS, .K = n, .lda = tile, .ldb = HS, .ldc = HS};
}

GemmShape transposed(GemmShape shape) {
  shape.transposed_a = true;
  return shape;
}

GemmShape accumulating(GemmShape shape) {
  shape.accumulate = true;
  return shape;
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

}  // namespace

// k and v of all tokens, tile after tile; the rest is of one tile of queries.
struct Attention::ForwardScratch {
  ForwardScratch(const Attention& a, std::byte* memory)
      : cutter(memory),
        k(cutter.matrix<float>(a.tiles() * a.tile_, a.HS_)),
        v(cutter.matrix<float>(a.tiles() * a.tile_, a.HS_)),
        qT(cutter.matrix<float>(a.HS_, a.tile_)),
        out(cutter.matrix<float>(a.tile_, a.HS_)),
        sT(cutter.matrix<float>(a.tile_, a.tile_)),
        lse(cutter.vector<float>(a.tile_)),
        softmax{cutter.vector<float>(a.tile_), cutter.vector<float>(a.tile_), cutter.vector<float>(a.tile_)} {}

  ScratchCutter cutter;
  Matrix<float> k, v, qT, out, sT;
  Vector<float> lse;
  RunningSoftmax softmax;
};

// k, v, dk and dv of all tokens, tile after tile; the rest is of one tile of queries.
struct Attention::BackwardScratch {
  BackwardScratch(const Attention& a, std::byte* memory)
      : cutter(memory),
        k(cutter.matrix<float>(a.tiles() * a.tile_, a.HS_)),
        v(cutter.matrix<float>(a.tiles() * a.tile_, a.HS_)),
        dk(cutter.matrix<float>(a.tiles() * a.tile_, a.HS_)),
        dv(cutter.matrix<float>(a.tiles() * a.tile_, a.HS_)),
        q(cutter.matrix<float>(a.tile_, a.HS_)),
        qT(cutter.matrix<float>(a.HS_, a.tile_)),
        dout(cutter.matrix<float>(a.tile_, a.HS_)),
        doutT(cutter.matrix<float>(a.HS_, a.tile_)),
        dq(cutter.matrix<float>(a.tile_, a.HS_)),
        sT(cutter.matrix<float>(a.tile_, a.tile_)),
        dpT(cutter.matrix<float>(a.tile_, a.tile_)),
        lse(cutter.vector<float>(a.tile_)),
        D(cutter.vector<float>(a.tile_)) {}

  ScratchCutter cutter;
  Matrix<float> k, v, dk, dv, q, qT, dout, doutT, dq, sT, dpT;
  Vector<float> lse, D;
};

Attention::Attention(int64_t T, int64_t HS, GemmBackend backend)
    : T_(T),
      HS_(HS),
      tile_(attention_tile(T, HS)),
      scale_(1.f / std::sqrt(static_cast<float>(HS))),
      by_query_(accumulating(transposed(sum(tile_, tile_, HS, tile_))), backend),
      by_key_(accumulating(sum(tile_, tile_, HS, tile_)), backend) {
  for (int64_t t = 0; t < tile_; t += kStep) steps_.push_back(step(t, backend));
}

// The step that begins at token t of the diagonal tile.
Attention::Step Attention::step(int64_t t, GemmBackend backend) const {
  const int64_t seen = t + kStep, later = tile_ - t;
  const GemmShape scores = {
      .M = kStep, .N = later, .K = HS_, .lda = HS_, .ldb = tile_, .ldc = tile_};
  return {
      .scores = Gemm(scores, backend),
      .by_query = Gemm(transposed(sum(kStep, seen, HS_, tile_)), backend),
      .by_key = Gemm(sum(kStep, later, HS_, tile_), backend),
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

// out += P v or dq += dS k.
void Attention::sum_keys(bool diagonal, const float* scores, const float* keys, float* queries,
                         RowPrefetch& ahead) const noexcept {
  if (!diagonal) by_query_(scores, keys, queries);
  for (int64_t t = 0; t < tile_; t += kStep) {
    if (diagonal) steps_[t / kStep].by_query(scores + t, keys, queries + t * HS_);
    ahead.advance(kStep);
  }
}

// dv += P^T dout or dk += dS^T q.
void Attention::sum_queries(bool diagonal, const float* scores, const float* queries, float* keys,
                            RowPrefetch& ahead) const noexcept {
  if (!diagonal) by_key_(scores, queries, keys);
  for (int64_t t = 0; t < tile_; t += kStep) {
    if (diagonal) {
      steps_[t / kStep].by_key(scores + t * tile_ + t, queries + t * HS_, keys + t * HS_);
    }
    ahead.advance(kStep);
  }
}

void Attention::forward(Matrix<const float> q, Matrix<const float> k, Matrix<const float> v,
                        Matrix<float> out, Vector<float> lse, std::byte* scratch) const noexcept {
  const ForwardScratch s(*this, scratch);
  for (int64_t i = 0; i < tiles(); ++i) {
    pack_rows(part(k, tile_, i), part(s.k, tile_, i));
    pack_rows(part(v, tile_, i), part(s.v, tile_, i));
    pack_columns(part(q, tile_, i), s.qT);
    const Matrix<float> out_rows = part(out, tile_, i);

    RowPrefetch ahead;
    ahead.will_write(out_rows);
    if (i + 1 < tiles()) {
      for (const auto& x : {k, v, q}) ahead.will_read(part(x, tile_, i + 1));
    }
    forward_tile(i, s, ahead);

    scale_rows(s.softmax.sum, s.out.row_block(0, out_rows.rows), out_rows);
    std::copy_n(s.lse.data(), out_rows.rows, &lse[static_cast<size_t>(i * tile_)]);
  }
}

// Query tile i against the key tiles up to its own, the diagonal; later keys are all masked.
void Attention::forward_tile(int64_t i, const ForwardScratch& s,
                             RowPrefetch& ahead) const noexcept {
  scores(true, part(s.k, tile_, i).data, s.qT.data, s.sT.data, ahead);
  softmax_diagonal(scale_, s.sT, s.softmax);
  sum_keys(true, s.sT.data, part(s.v, tile_, i).data, s.out.data, ahead);
  for (int64_t j = 0; j < i; ++j) {
    scores(false, part(s.k, tile_, j).data, s.qT.data, s.sT.data, ahead);
    if (softmax_tile(scale_, s.sT, s.softmax)) scale_rows(s.softmax.rescale, s.out, s.out);
    sum_keys(false, s.sT.data, part(s.v, tile_, j).data, s.out.data, ahead);
  }
  finish_softmax(scale_, s.softmax, s.lse);
}

void Attention::backward(Matrix<const float> q, Matrix<const float> k, Matrix<const float> v,
                         Matrix<const float> out, Vector<const float> lse, Matrix<const float> dout,
                         Matrix<float> dq, Matrix<float> dk, Matrix<float> dv,
                         std::byte* scratch) const noexcept {
  const BackwardScratch s(*this, scratch);
  for (int64_t i = 0; i < tiles(); ++i) {
    pack_rows(part(k, tile_, i), part(s.k, tile_, i));
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

    const Matrix<float> dq_rows = part(dq, tile_, i);
    scale(scale_, s.dq.row_block(0, dq_rows.rows), dq_rows);
  }
  scale(scale_, s.dk.row_block(0, T_), dk);
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
    sum_keys(diagonal, s.dpT.data, part(s.k, tile_, j).data, s.dq.data, ahead);
  }
}

}  // namespace weft
