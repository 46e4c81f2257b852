#include <algorithm>

#include "kernels/attention_products.h"
#include "kernels/bfloat16.h"
#include "kernels/pack_bf16.h"
#include "kernels/transpose.h"

namespace weft {
namespace {

// packed = x, with zero rows after the last token.
void pack_rows(Matrix<const BFloat16> x, Matrix<BFloat16> packed) {
  for (int64_t r = 0; r < x.rows; ++r) std::ranges::copy(x.row(r), packed.row(r).begin());
  std::fill_n(packed.data + x.rows * packed.stride, (packed.rows - x.rows) * packed.stride,
              BFloat16{0});
}

// Clears the scores of keys after their query: softmax of the diagonal skips them.
void clear_hidden(Matrix<float> scores) {
  for (int64_t s = kStep; s < scores.rows; ++s) {
    std::fill_n(&scores.at(s, 0), s / kStep * kStep, 0.f);
  }
}

}  // namespace

using Bf16Products = AttentionProducts<BFloat16>;

Bf16Products::ForwardScratch::ForwardScratch(const AttentionShape& a, std::byte* memory)
    : cutter(memory),
      k(cutter.matrix<BFloat16>(a.tiles() * a.tile, a.HS)),
      vT(cutter.matrix<BFloat16>(a.tiles() * a.HS, a.tile)),
      rows(cutter.matrix<BFloat16>(a.tile, a.HS)),
      qT(cutter.vector<BFloat16>(packed_bf16_size(a.HS, a.tile))),
      pT(cutter.vector<BFloat16>(packed_bf16_size(a.tile, a.tile))),
      sT(cutter.matrix<float>(a.tile, a.tile)),
      outT(cutter.matrix<float>(a.HS, a.tile)),
      out(cutter.matrix<float>(a.tile, a.HS)),
      lse(cutter.vector<float>(a.tile)),
      softmax{cutter.vector<float>(a.tile), cutter.vector<float>(a.tile),
              cutter.vector<float>(a.tile)} {}

Bf16Products::BackwardScratch::BackwardScratch(const AttentionShape& a, std::byte* memory)
    : cutter(memory),
      k(cutter.matrix<BFloat16>(a.tiles() * a.tile, a.HS)),
      kT(cutter.matrix<BFloat16>(a.tiles() * a.HS, a.tile)),
      v(cutter.matrix<BFloat16>(a.tiles() * a.tile, a.HS)),
      dk(cutter.matrix<float>(a.tiles() * a.tile, a.HS)),
      dv(cutter.matrix<float>(a.tiles() * a.tile, a.HS)),
      rows(cutter.matrix<BFloat16>(a.tile, a.HS)),
      q(cutter.vector<BFloat16>(packed_bf16_size(a.tile, a.HS))),
      qT(cutter.vector<BFloat16>(packed_bf16_size(a.HS, a.tile))),
      dout(cutter.vector<BFloat16>(packed_bf16_size(a.tile, a.HS))),
      doutT(cutter.vector<BFloat16>(packed_bf16_size(a.HS, a.tile))),
      packed_dsT(cutter.vector<BFloat16>(packed_bf16_size(a.tile, a.tile))),
      pT(cutter.matrix<BFloat16>(a.tile, a.tile)),
      dsT(cutter.matrix<BFloat16>(a.tile, a.tile)),
      sT(cutter.matrix<float>(a.tile, a.tile)),
      dpT(cutter.matrix<float>(a.tile, a.tile)),
      dqT(cutter.matrix<float>(a.HS, a.tile)),
      dq(cutter.matrix<float>(a.tile, a.HS)),
      lse(cutter.vector<float>(a.tile)),
      D(cutter.vector<float>(a.tile)) {}

Bf16Products::Sum Bf16Products::sum(int64_t M, int64_t N, int64_t K) {
  const GemmBf16Shape shape = {.M = M, .N = N, .K = K, .lda = K, .ldc = N};
  GemmBf16Shape adding = shape;
  adding.accumulate = true;
  return {GemmBf16(shape), GemmBf16(adding)};
}

Bf16Products::AttentionProducts(const AttentionShape& shape, GemmBackend)
    : shape_(shape),
      scores_(
          {.M = shape.tile, .N = shape.tile, .K = shape.HS, .lda = shape.HS, .ldc = shape.tile}),
      by_query_(sum(shape.HS, shape.tile, shape.tile)),
      by_key_(sum(shape.tile, shape.HS, shape.tile)) {}

void Bf16Products::pack(Matrix<const BFloat16> q, Matrix<const BFloat16> k,
                        Matrix<const BFloat16> v, int64_t i,
                        const ForwardScratch& s) const noexcept {
  pack_rows(k, part(s.k, shape_.tile, i));
  pack_rows(v, s.rows);
  transpose(s.rows, part(s.vT, shape_.HS, i));
  pack_rows(q, s.rows);
  pack_bf16_transposed(s.rows, s.qT);
}

void Bf16Products::scores(bool /*diagonal*/, int64_t j, const ForwardScratch& s,
                          RowPrefetch&) const noexcept {
  scores_(part(s.k, shape_.tile, j).data, s.qT.data(), s.sT.data);
}

void Bf16Products::rescale(const ForwardScratch& s) const noexcept {
  scale_columns(s.softmax.rescale, s.outT, s.outT);
}

void Bf16Products::add_values(bool diagonal, int64_t j, const ForwardScratch& s,
                              RowPrefetch&) const noexcept {
  if (diagonal) clear_hidden(s.sT);
  pack_bf16(s.sT, s.pT);
  by_query_.on(diagonal)(part(s.vT, shape_.HS, j).data, s.pT.data(), s.outT.data);
}

void Bf16Products::store(const ForwardScratch& s, Matrix<BFloat16> out) const noexcept {
  scale_columns(s.softmax.sum, s.outT, s.outT);
  transpose(s.outT, s.out);
  convert(s.out.row_block(0, out.rows), out);
}

Matrix<BFloat16> Bf16Products::pack(Matrix<const BFloat16> q, Matrix<const BFloat16> k,
                                    Matrix<const BFloat16> v, Matrix<const BFloat16> dout,
                                    int64_t i, const BackwardScratch& s) const noexcept {
  pack_rows(k, part(s.k, shape_.tile, i));
  transpose(part(s.k, shape_.tile, i), part(s.kT, shape_.HS, i));
  pack_rows(v, part(s.v, shape_.tile, i));
  pack_rows(q, s.rows);
  pack_bf16(s.rows, s.q);
  pack_bf16_transposed(s.rows, s.qT);
  pack_rows(dout, s.rows);
  pack_bf16(s.rows, s.dout);
  pack_bf16_transposed(s.rows, s.doutT);
  return s.rows;
}

void Bf16Products::scores(bool /*diagonal*/, int64_t j, const BackwardScratch& s,
                          RowPrefetch&) const noexcept {
  scores_(part(s.k, shape_.tile, j).data, s.qT.data(), s.sT.data);
  scores_(part(s.v, shape_.tile, j).data, s.doutT.data(), s.dpT.data);
}

void Bf16Products::add_gradients(bool diagonal, int64_t j, const BackwardScratch& s,
                                 RowPrefetch&) const noexcept {
  if (diagonal) {
    clear_hidden(s.sT);
    clear_hidden(s.dpT);
  }
  convert(s.sT, s.pT);
  convert(s.dpT, s.dsT);
  pack_bf16(s.dsT, s.packed_dsT);
  by_key_.on(diagonal)(s.pT.data, s.dout.data(), part(s.dv, shape_.tile, j).data);
  by_key_.on(diagonal)(s.dsT.data, s.q.data(), part(s.dk, shape_.tile, j).data);
  by_query_.on(diagonal)(part(s.kT, shape_.HS, j).data, s.packed_dsT.data(), s.dqT.data);
}

void Bf16Products::store_dq(const BackwardScratch& s, Matrix<BFloat16> dq) const noexcept {
  transpose(s.dqT, s.dq);
  scale(shape_.scale, s.dq, s.dq);
  convert(s.dq.row_block(0, dq.rows), dq);
}

void Bf16Products::store_dk_dv(const BackwardScratch& s, Matrix<BFloat16> dk,
                               Matrix<BFloat16> dv) const noexcept {
  scale(shape_.scale, s.dk, s.dk);
  convert(s.dk.row_block(0, shape_.T), dk);
  convert(s.dv.row_block(0, shape_.T), dv);
}

}  // namespace weft
