#include "parallel/token_rows.h"

#include <algorithm>
#include <bit>

#include "kernels/elementwise.h"
#include "kernels/transpose.h"

namespace weft {

TokenRows::TokenRows(Arena& arena, TileTable& tiles, const Workers& terms,
                     const Tiled<int32_t>& tokens, const Tiled<float>& rows)
    : terms_(terms), tokens_(tokens), rows_(rows) {
  const int64_t size = rows.rows() * (rows.cols() + 1);
  slots_ = allocate_tiled<float>(arena, tiles, "token_rows", terms.micro_batches(), size, 1, size);
}

Matrix<float> TokenRows::rows_of(int64_t micro_batch) const {
  return {slots_.matrix().row(micro_batch).data(), rows_.rows(), rows_.cols()};
}

Vector<float> TokenRows::tokens_of(int64_t micro_batch) const {
  return slots_.matrix().row(micro_batch).last(size_t(rows_.rows()));
}

void TokenRows::append_pack(Program& program, int64_t micro_batch) const {
  program.add({.name = OpName{.kind = "embedding/rows"},
               .phase = Phase::kBackward,
               .reads = tiles_of({tokens_.all(), rows_.all()}),
               .writes = slots_.over({micro_batch, micro_batch + 1}),
               .run = [this, micro_batch](std::byte*) {
                 copy(rows_.matrix(), rows_of(micro_batch));
                 std::ranges::transform(tokens_.column({0, tokens_.rows()}),
                                        tokens_of(micro_batch).begin(),
                                        [](int32_t token) { return std::bit_cast<float>(token); });
               }});
}

void TokenRows::append_exchange_start(Program& program, Communicator& communicator,
                                      TransferOps& transfers) {
  const auto begin = [this, &communicator, &transfers](PendingTransfers& pending) {
    const Matrix<float> slots = slots_.matrix();
    const std::vector<int64_t> by_rank = counts();
    pending.push_back(
        communicator.begin_all_gather({slots.data, size_t(slots.rows * slots.cols)}, by_rank));
    transfers.meter().sent(int64_t(sizeof(float)) * by_rank[size_t(communicator.rank())] *
                           (communicator.size() - 1));
  };
  transfers.append_start(program, {.kind = "token_rows"}, {}, slots_.all(), pending_, begin);
}

void TokenRows::append_exchange_finish(Program& program, TransferOps& transfers) {
  transfers.append_finish(program, {.kind = "token_rows"}, slots_.all(), pending_);
}

std::vector<int64_t> TokenRows::counts() const {
  std::vector<int64_t> counts(static_cast<size_t>(terms_.ranks));
  for (int64_t rank = 0; rank < terms_.ranks; ++rank) {
    counts[size_t(rank)] = terms_.micro_batches_of(rank).size() * slots_.cols();
  }
  return counts;
}

void TokenRows::add_to(Range elements, Vector<float> sum) const {
  const int64_t C = rows_.cols();
  for (int64_t m = 0; m < slots_.rows(); ++m) {
    const Matrix<const float> rows = rows_of(m);
    const Vector<const float> tokens = tokens_of(m);
    for (int64_t i = 0; i < rows.rows; ++i) {
      // The range may begin or end inside a row.
      const int64_t row = std::bit_cast<int32_t>(tokens[size_t(i)]) * C;
      const int64_t begin = std::max(row, elements.begin), end = std::min(row + C, elements.end);
      if (begin >= end) continue;
      const auto size = size_t(end - begin);
      add(rows.row(i).subspan(size_t(begin - row), size),
          sum.subspan(size_t(begin - elements.begin), size));
    }
  }
}

}  // namespace weft
