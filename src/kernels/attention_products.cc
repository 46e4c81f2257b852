#include "kernels/attention_products.h"

#include <algorithm>

#include "kernels/row_prefetch.h"
#include "kernels/transpose.h"

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

AttentionProducts<float>::ForwardScratch::ForwardScratch(const AttentionShape& a, std::byte* memory)
    : cutter(memory),
      k(cutter.matrix<float>(a.tiles() * a.tile, a.HS)),
      v(cutter.matrix<float>(a.tiles() * a.tile, a.HS)),
      qT(cutter.matrix<float>(a.HS, a.tile)),
      out(cutter.matrix<float>(a.tile, a.HS)),
      sT(cutter.matrix<float>(a.tile, a.tile)),
      lse(cutter.vector<float>(a.tile)),
      softmax{cutter.vector<float>(a.tile), cutter.vector<float>(a.tile),
              cutter.vector<float>(a.tile)} {}

AttentionProducts<float>::BackwardScratch::BackwardScratch(const AttentionShape& a,
                                                           std::byte* memory)
    : cutter(memory),
      k(cutter.matrix<float>(a.tiles() * a.tile, a.HS)),
      v(cutter.matrix<float>(a.tiles() * a.tile, a.HS)),
      dk(cutter.matrix<float>(a.tiles() * a.tile, a.HS)),
      dv(cutter.matrix<float>(a.tiles() * a.tile, a.HS)),
      q(cutter.matrix<float>(a.tile, a.HS)),
      qT(cutter.matrix<float>(a.HS, a.tile)),
      dout(cutter.matrix<float>(a.tile, a.HS)),
      doutT(cutter.matrix<float>(a.HS, a.tile)),
      dq(cutter.matrix<float>(a.tile, a.HS)),
      sT(cutter.matrix<float>(a.tile, a.tile)),
      dpT(cutter.matrix<float>(a.tile, a.tile)),
      lse(cutter.vector<float>(a.tile)),
      D(cutter.vector<float>(a.tile)) {}

AttentionProducts<float>::AttentionProducts(const AttentionShape& shape, GemmBackend backend)
    : shape_(shape),
      by_query_(accumulating(transposed(sum(shape.tile, shape.tile, shape.HS, shape.tile))),
                backend),
      by_key_(accumulating(sum(shape.tile, shape.tile, shape.HS, shape.tile)), backend) {
  for (int64_t t = 0; t < shape.tile; t += kStep) steps_.push_back(step(t, backend));
}

// The step that begins at token t of the diagonal tile.
AttentionProducts<float>::Step AttentionProducts<float>::step(int64_t t,
                                                              GemmBackend backend) const {
  const int64_t tile = shape_.tile, HS = shape_.HS;
  const int64_t seen = t + kStep, later = tile - t;
  const GemmShape scores = {.M = kStep, .N = later, .K = HS, .lda = HS, .ldb = tile, .ldc = tile};
  return {
      .scores = Gemm(scores, backend),
      .by_query = Gemm(transposed(sum(kStep, seen, HS, tile)), backend),
      .by_key = Gemm(sum(kStep, later, HS, tile), backend),
  };
}

// S^T = k q^T or dP^T = v dout^T, a step of keys at a time.
void AttentionProducts<float>::multiply_scores(bool diagonal, const float* keys,
                                               const float* queries, float* scores,
                                               RowPrefetch& ahead) const noexcept {
  const int64_t tile = shape_.tile;
  for (int64_t t = 0; t < tile; t += kStep) {
    const int64_t first = diagonal ? t : 0;
    steps_[first / kStep].scores(keys + t * shape_.HS, queries + first, scores + t * tile + first);
    ahead.advance(kStep);
  }
}

// out += P v or dq += dS k.
void AttentionProducts<float>::sum_keys(bool diagonal, const float* scores, const float* keys,
                                        float* queries, RowPrefetch& ahead) const noexcept {
  if (!diagonal) by_query_(scores, keys, queries);
  for (int64_t t = 0; t < shape_.tile; t += kStep) {
    if (diagonal) steps_[t / kStep].by_query(scores + t, keys, queries + t * shape_.HS);
    ahead.advance(kStep);
  }
}

// dv += P^T dout or dk += dS^T q.
void AttentionProducts<float>::sum_queries(bool diagonal, const float* scores, const float* queries,
                                           float* keys, RowPrefetch& ahead) const noexcept {
  const int64_t tile = shape_.tile, HS = shape_.HS;
  if (!diagonal) by_key_(scores, queries, keys);
  for (int64_t t = 0; t < tile; t += kStep) {
    if (diagonal) steps_[t / kStep].by_key(scores + t * tile + t, queries + t * HS, keys + t * HS);
    ahead.advance(kStep);
  }
}

void AttentionProducts<float>::pack(Matrix<const float> q, Matrix<const float> k,
                                    Matrix<const float> v, int64_t i,
                                    const ForwardScratch& s) const noexcept {
  pack_rows(k, part(s.k, shape_.tile, i));
  pack_rows(v, part(s.v, shape_.tile, i));
  pack_columns(q, s.qT);
}

void AttentionProducts<float>::scores(bool diagonal, int64_t j, const ForwardScratch& s,
                                      RowPrefetch& ahead) const noexcept {
  multiply_scores(diagonal, part(s.k, shape_.tile, j).data, s.qT.data, s.sT.data, ahead);
}

void AttentionProducts<float>::rescale(const ForwardScratch& s) const noexcept {
  scale_rows(s.softmax.rescale, s.out, s.out);
}

void AttentionProducts<float>::add_values(bool diagonal, int64_t j, const ForwardScratch& s,
                                          RowPrefetch& ahead) const noexcept {
  sum_keys(diagonal, s.sT.data, part(s.v, shape_.tile, j).data, s.out.data, ahead);
}

void AttentionProducts<float>::store(const ForwardScratch& s, Matrix<float> out) const noexcept {
  scale_rows(s.softmax.sum, s.out.row_block(0, out.rows), out);
}

Matrix<float> AttentionProducts<float>::pack(Matrix<const float> q, Matrix<const float> k,
                                             Matrix<const float> v, Matrix<const float> dout,
                                             int64_t i, const BackwardScratch& s) const noexcept {
  pack_rows(k, part(s.k, shape_.tile, i));
  pack_rows(v, part(s.v, shape_.tile, i));
  pack_rows(q, s.q);
  transpose(s.q, s.qT);
  pack_rows(dout, s.dout);
  transpose(s.dout, s.doutT);
  return s.dout;
}

void AttentionProducts<float>::scores(bool diagonal, int64_t j, const BackwardScratch& s,
                                      RowPrefetch& ahead) const noexcept {
  multiply_scores(diagonal, part(s.k, shape_.tile, j).data, s.qT.data, s.sT.data, ahead);
  multiply_scores(diagonal, part(s.v, shape_.tile, j).data, s.doutT.data, s.dpT.data, ahead);
}

void AttentionProducts<float>::add_gradients(bool diagonal, int64_t j, const BackwardScratch& s,
                                             RowPrefetch& ahead) const noexcept {
  const int64_t tile = shape_.tile;
  sum_queries(diagonal, s.sT.data, s.dout.data, part(s.dv, tile, j).data, ahead);
  sum_queries(diagonal, s.dpT.data, s.q.data, part(s.dk, tile, j).data, ahead);
  sum_keys(diagonal, s.dpT.data, part(s.k, tile, j).data, s.dq.data, ahead);
}

void AttentionProducts<float>::store_dq(const BackwardScratch& s, Matrix<float> dq) const noexcept {
  scale(shape_.scale, s.dq.row_block(0, dq.rows), dq);
}

void AttentionProducts<float>::store_dk_dv(const BackwardScratch& s, Matrix<float> dk,
                                           Matrix<float> dv) const noexcept {
  scale(shape_.scale, s.dk.row_block(0, shape_.T), dk);
  copy(s.dv.row_block(0, shape_.T), dv);
}

}  // namespace weft
