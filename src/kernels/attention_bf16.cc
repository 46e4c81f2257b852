#include "kernels/attention_bf16.h"

#include <algorithm>
#include <cmath>

#include "base/math.h"
#include "kernels/attention_tiles.h"
#include "kernels/bfloat16.h"
#include "kernels/pack_bf16.h"
#include "kernels/scratch_cutter.h"
#include "kernels/transpose.h"

// Scores are kept transposed, keys x queries (attention_tiles.h says why). A product reads its left
// operand by rows and its right one packed in pairs of rows, and packing rows that lie in order is
// cheap. So sums over keys are transposed, too: then the scores are their right operand.
//   S^T  = k q^T        out^T += v^T P^T       dv += P^T dout
//   dP^T = v dout^T     dq^T  += k^T dS^T      dk += dS^T q

namespace weft {
namespace {

// packed = x, with zero rows after the last token.
void pack_rows(Matrix<const BFloat16> x, Matrix<BFloat16> packed) {
  for (int64_t r = 0; r < x.rows; ++r) std::ranges::copy(x.row(r), packed.row(r).begin());
  std::fill_n(packed.data + x.rows * packed.stride, (packed.rows - x.rows) * packed.stride,
              BFloat16{0});
}

// Keys after a query, where the diagonal's steps leave what the product wrote.
void clear_hidden(Matrix<float> scores) {
  for (int64_t s = kStep; s < scores.rows; ++s) {
    std::fill_n(&scores.at(s, 0), s / kStep * kStep, 0.f);
  }
}

}  // namespace

// k and v^T of all tokens, tile after tile; the rest is of one tile of queries.
struct AttentionBf16::ForwardScratch {
  ForwardScratch(const AttentionBf16& a, std::byte* memory)
      : cutter(memory),
        k(cutter.matrix<BFloat16>(a.tiles() * a.tile_, a.HS_)),
        vT(cutter.matrix<BFloat16>(a.tiles() * a.HS_, a.tile_)),
        rows(cutter.matrix<BFloat16>(a.tile_, a.HS_)),
        qT(cutter.vector<BFloat16>(packed_bf16_size(a.HS_, a.tile_))),
        pT(cutter.vector<BFloat16>(packed_bf16_size(a.tile_, a.tile_))),
        sT(cutter.matrix<float>(a.tile_, a.tile_)),
        outT(cutter.matrix<float>(a.HS_, a.tile_)),
        out(cutter.matrix<float>(a.tile_, a.HS_)),
        lse(cutter.vector<float>(a.tile_)),
        softmax{cutter.vector<float>(a.tile_), cutter.vector<float>(a.tile_),
                cutter.vector<float>(a.tile_)} {}

  ScratchCutter cutter;
  Matrix<BFloat16> k, vT, rows;
  Vector<BFloat16> qT, pT;  // packed
  Matrix<float> sT, outT, out;
  Vector<float> lse;
  RunningSoftmax softmax;
};

// k, k^T, v, dk and dv of all tokens, tile after tile; the rest is of one tile of queries.
struct AttentionBf16::BackwardScratch {
  BackwardScratch(const AttentionBf16& a, std::byte* memory)
      : cutter(memory),
        k(cutter.matrix<BFloat16>(a.tiles() * a.tile_, a.HS_)),
        kT(cutter.matrix<BFloat16>(a.tiles() * a.HS_, a.tile_)),
        v(cutter.matrix<BFloat16>(a.tiles() * a.tile_, a.HS_)),
        dk(cutter.matrix<float>(a.tiles() * a.tile_, a.HS_)),
        dv(cutter.matrix<float>(a.tiles() * a.tile_, a.HS_)),
        rows(cutter.matrix<BFloat16>(a.tile_, a.HS_)),
        q(cutter.vector<BFloat16>(packed_bf16_size(a.tile_, a.HS_))),
        qT(cutter.vector<BFloat16>(packed_bf16_size(a.HS_, a.tile_))),
        dout(cutter.vector<BFloat16>(packed_bf16_size(a.tile_, a.HS_))),
        doutT(cutter.vector<BFloat16>(packed_bf16_size(a.HS_, a.tile_))),
        packed_dsT(cutter.vector<BFloat16>(packed_bf16_size(a.tile_, a.tile_))),
        pT(cutter.matrix<BFloat16>(a.tile_, a.tile_)),
        dsT(cutter.matrix<BFloat16>(a.tile_, a.tile_)),
        sT(cutter.matrix<float>(a.tile_, a.tile_)),
        dpT(cutter.matrix<float>(a.tile_, a.tile_)),
        dqT(cutter.matrix<float>(a.HS_, a.tile_)),
        dq(cutter.matrix<float>(a.tile_, a.HS_)),
        lse(cutter.vector<float>(a.tile_)),
        D(cutter.vector<float>(a.tile_)) {}

  ScratchCutter cutter;
  Matrix<BFloat16> k, kT, v;
  Matrix<float> dk, dv;
  Matrix<BFloat16> rows;
  Vector<BFloat16> q, qT, dout, doutT, packed_dsT;  // packed
  Matrix<BFloat16> pT, dsT;
  Matrix<float> sT, dpT, dqT, dq;
  Vector<float> lse, D;
};

AttentionBf16::Sum AttentionBf16::sum(int64_t M, int64_t N, int64_t K) {
  const GemmBf16Shape shape = {.M = M, .N = N, .K = K, .lda = K, .ldc = N};
  GemmBf16Shape adding = shape;
  adding.accumulate = true;
  return {GemmBf16(shape), GemmBf16(adding)};
}

AttentionBf16::AttentionBf16(int64_t T, int64_t HS)
    : T_(T),
      HS_(HS),
      tile_(attention_tile(T, HS)),
      scale_(1.f / std::sqrt(static_cast<float>(HS))),
      scores_({.M = tile_, .N = tile_, .K = HS, .lda = HS, .ldc = tile_}),
      by_query_(sum(HS, tile_, tile_)),
      by_key_(sum(tile_, HS, tile_)) {}

size_t AttentionBf16::forward_scratch_bytes() const {
  return ForwardScratch(*this, nullptr).cutter.bytes();
}

size_t AttentionBf16::backward_scratch_bytes() const {
  return BackwardScratch(*this, nullptr).cutter.bytes();
}

int64_t AttentionBf16::tiles() const { return ceil_div(T_, tile_); }

void AttentionBf16::forward(Matrix<const BFloat16> q, Matrix<const BFloat16> k,
                            Matrix<const BFloat16> v, Matrix<BFloat16> out, Vector<float> lse,
                            std::byte* scratch) const noexcept {
  const ForwardScratch s(*this, scratch);
  for (int64_t i = 0; i < tiles(); ++i) {
    pack_rows(part(k, tile_, i), part(s.k, tile_, i));
    pack_rows(part(v, tile_, i), s.rows);
    transpose(s.rows, part(s.vT, HS_, i));
    pack_rows(part(q, tile_, i), s.rows);
    pack_bf16_transposed(s.rows, s.qT);

    forward_tile(i, s);

    const Matrix<BFloat16> out_rows = part(out, tile_, i);
    scale_columns(s.softmax.sum, s.outT, s.outT);
    transpose(s.outT, s.out);
    convert(s.out.row_block(0, out_rows.rows), out_rows);
    std::copy_n(s.lse.data(), out_rows.rows, &lse[static_cast<size_t>(i * tile_)]);
  }
}

// Query tile i against the key tiles up to its own, the diagonal; later keys are all masked.
void AttentionBf16::forward_tile(int64_t i, const ForwardScratch& s) const noexcept {
  for (int64_t j = i; j >= 0; --j) {
    const bool diagonal = j == i;
    scores_(part(s.k, tile_, j).data, s.qT.data(), s.sT.data);
    if (diagonal) {
      softmax_diagonal(scale_, s.sT, s.softmax);
      clear_hidden(s.sT);
    } else if (softmax_tile(scale_, s.sT, s.softmax)) {
      scale_columns(s.softmax.rescale, s.outT, s.outT);
    }
    pack_bf16(s.sT, s.pT);
    by_query_.on(diagonal)(part(s.vT, HS_, j).data, s.pT.data(), s.outT.data);
  }
  finish_softmax(scale_, s.softmax, s.lse);
}

void AttentionBf16::backward(Matrix<const BFloat16> q, Matrix<const BFloat16> k,
                             Matrix<const BFloat16> v, Matrix<const BFloat16> out,
                             Vector<const float> lse, Matrix<const BFloat16> dout,
                             Matrix<BFloat16> dq, Matrix<BFloat16> dk, Matrix<BFloat16> dv,
                             std::byte* scratch) const noexcept {
  const BackwardScratch s(*this, scratch);
  for (int64_t i = 0; i < tiles(); ++i) {
    pack_rows(part(k, tile_, i), part(s.k, tile_, i));
    transpose(part(s.k, tile_, i), part(s.kT, HS_, i));
    pack_rows(part(v, tile_, i), part(s.v, tile_, i));
    pack_rows(part(q, tile_, i), s.rows);
    pack_bf16(s.rows, s.q);
    pack_bf16_transposed(s.rows, s.qT);
    pack_rows(part(dout, tile_, i), s.rows);
    pack_bf16(s.rows, s.dout);
    pack_bf16_transposed(s.rows, s.doutT);
    const Matrix<const BFloat16> out_rows = part(out, tile_, i);
    std::ranges::fill(s.D, 0.f);
    row_dots(out_rows, s.rows.row_block(0, out_rows.rows), s.D);
    std::ranges::fill(s.lse, 0.f);
    std::copy_n(&lse[static_cast<size_t>(i * tile_)], out_rows.rows, s.lse.data());

    backward_tile(i, s);

    const Matrix<BFloat16> dq_rows = part(dq, tile_, i);
    transpose(s.dqT, s.dq);
    scale(scale_, s.dq, s.dq);
    convert(s.dq.row_block(0, dq_rows.rows), dq_rows);
  }
  scale(scale_, s.dk, s.dk);
  convert(s.dk.row_block(0, T_), dk);
  convert(s.dv.row_block(0, T_), dv);
}

// Tokens after the last have zero q, dout and lse: a query of them adds exact zeros to dk and dv,
// and a key of them is masked.
void AttentionBf16::backward_tile(int64_t i, const BackwardScratch& s) const noexcept {
  for (int64_t j = i; j >= 0; --j) {
    const bool diagonal = j == i;
    scores_(part(s.k, tile_, j).data, s.qT.data(), s.sT.data);
    scores_(part(s.v, tile_, j).data, s.doutT.data(), s.dpT.data);
    if (diagonal) {
      softmax_backward_diagonal(scale_, s.lse, s.D, s.sT, s.dpT);
      clear_hidden(s.sT);
      clear_hidden(s.dpT);
    } else {
      softmax_backward_tile(scale_, s.lse, s.D, s.sT, s.dpT);
    }
    convert(s.sT, s.pT);
    convert(s.dpT, s.dsT);
    pack_bf16(s.dsT, s.packed_dsT);
    by_key_.on(diagonal)(s.pT.data, s.dout.data(), part(s.dv, tile_, j).data);
    by_key_.on(diagonal)(s.dsT.data, s.q.data(), part(s.dk, tile_, j).data);
    by_query_.on(diagonal)(part(s.kT, HS_, j).data, s.packed_dsT.data(), s.dqT.data);
  }
}

}  // namespace weft
