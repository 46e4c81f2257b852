#include "kernels/attention.h"

#include <algorithm>

#include "kernels/attention_tiles.h"
#include "kernels/row_prefetch.h"

namespace weft {

template <typename Element>
Attention<Element>::Attention(int64_t T, int64_t HS, GemmBackend backend)
    : shape_(T, HS), products_(shape_, backend) {}

template <typename Element>
size_t Attention<Element>::forward_scratch_bytes() const {
  return ForwardScratch(shape_, nullptr).cutter.bytes();
}

template <typename Element>
size_t Attention<Element>::backward_scratch_bytes() const {
  return BackwardScratch(shape_, nullptr).cutter.bytes();
}

template <typename Element>
void Attention<Element>::forward(Matrix<const Element> q, Matrix<const Element> k,
                                 Matrix<const Element> v, Matrix<Element> out, Vector<float> lse,
                                 std::byte* scratch) const noexcept {
  const ForwardScratch s(shape_, scratch);
  const int64_t tile = shape_.tile, tiles = shape_.tiles();
  for (int64_t i = 0; i < tiles; ++i) {
    products_.pack(part(q, tile, i), part(k, tile, i), part(v, tile, i), i, s);
    const Matrix<Element> out_rows = part(out, tile, i);

    RowPrefetch ahead;
    if constexpr (Products::kPrefetches) {
      ahead.will_write(out_rows);
      if (i + 1 < tiles) {
        for (const auto& x : {k, v, q}) ahead.will_read(part(x, tile, i + 1));
      }
    }
    forward_tile(i, s, ahead);

    products_.store(s, out_rows);
    std::copy_n(s.lse.data(), out_rows.rows, &lse[static_cast<size_t>(i * tile)]);
  }
}

// Query tile i against the key tiles up to its own, the diagonal, which comes first; later keys are
// all masked.
template <typename Element>
void Attention<Element>::forward_tile(int64_t i, const ForwardScratch& s,
                                      RowPrefetch& ahead) const noexcept {
  for (int64_t n = 0; n <= i; ++n) {
    const int64_t j = Products::nth_key_tile(i, n);
    const bool diagonal = n == 0;
    products_.scores(diagonal, j, s, ahead);
    if (diagonal) {
      softmax_diagonal(shape_.scale, s.sT, s.softmax);
    } else if (softmax_tile(shape_.scale, s.sT, s.softmax)) {
      products_.rescale(s);
    }
    products_.add_values(diagonal, j, s, ahead);
  }
  finish_softmax(shape_.scale, s.softmax, s.lse);
}

template <typename Element>
void Attention<Element>::backward(Matrix<const Element> q, Matrix<const Element> k,
                                  Matrix<const Element> v, Matrix<const Element> out,
                                  Vector<const float> lse, Matrix<const Element> dout,
                                  Matrix<Element> dq, Matrix<Element> dk, Matrix<Element> dv,
                                  std::byte* scratch) const noexcept {
  const BackwardScratch s(shape_, scratch);
  const int64_t tile = shape_.tile, tiles = shape_.tiles();
  for (int64_t i = 0; i < tiles; ++i) {
    const Matrix<const Element> out_rows = part(out, tile, i);
    const Matrix<Element> packed_dout = products_.pack(part(q, tile, i), part(k, tile, i),
                                                       part(v, tile, i), part(dout, tile, i), i, s);
    std::ranges::fill(s.D, 0.f);
    row_dots(out_rows, packed_dout.row_block(0, out_rows.rows), s.D);
    std::ranges::fill(s.lse, 0.f);
    std::copy_n(&lse[static_cast<size_t>(i * tile)], out_rows.rows, s.lse.data());

    RowPrefetch ahead;
    if constexpr (Products::kPrefetches) {
      for (const auto& x : {dq, dk, dv}) ahead.will_write(part(x, tile, i));
      if (i + 1 < tiles) {
        for (const auto& x : {k, v, q, dout, out}) ahead.will_read(part(x, tile, i + 1));
      }
    }
    backward_tile(i, s, ahead);

    products_.store_dq(s, part(dq, tile, i));
  }
  products_.store_dk_dv(s, dk, dv);
}

// Tokens after the last have zero q, dout and lse: a query of them adds exact zeros to dk and dv,
// and a key of them is masked.
template <typename Element>
void Attention<Element>::backward_tile(int64_t i, const BackwardScratch& s,
                                       RowPrefetch& ahead) const noexcept {
  for (int64_t j = i; j >= 0; --j) {
    const bool diagonal = j == i;
    products_.scores(diagonal, j, s, ahead);
    if (diagonal) {
      softmax_backward_diagonal(shape_.scale, s.lse, s.D, s.sT, s.dpT);
    } else {
      softmax_backward_tile(shape_.scale, s.lse, s.D, s.sT, s.dpT);
    }
    products_.add_gradients(diagonal, j, s, ahead);
  }
}

template class Attention<float>;
template class Attention<BFloat16>;

}  // namespace weft
