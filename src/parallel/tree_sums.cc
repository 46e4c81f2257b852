#include "parallel/tree_sums.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/elementwise.h"

namespace weft {
namespace {

constexpr int64_t kBlock = 1024;  // floats of each term that are added up in the first cache level

void copy(Vector<const float> from, Vector<float> to) {
  std::copy(from.begin(), from.end(), to.begin());
}

// The terms of a share arrive round by round, and by rank within a round. Returns the place of each
// in that order, sorted by the first micro-batch of its node, as the tree wants them.
std::vector<int64_t> places_of_terms(const std::vector<std::vector<Range>>& nodes, size_t rounds) {
  std::vector<std::pair<int64_t, int64_t>> order;  // (first micro-batch, place)
  for (size_t round = 0; round < rounds; ++round) {
    for (const std::vector<Range>& of_rank : nodes) {
      if (round < of_rank.size()) {
        order.emplace_back(of_rank[round].begin, int64_t(order.size()));
      }
    }
  }
  std::ranges::sort(order);
  std::vector<int64_t> places;
  places.reserve(order.size());
  for (const auto& [first, place] : order) places.push_back(place);
  return places;
}

}  // namespace

TreeSums::TreeSums(Arena& arena, TileTable& tiles, const Tiling& tiling, const Parts& parts,
                   const AppendTokenRows& append_token_rows)
    : parts_(parts),
      tree_(parts.workers.micro_batches()),
      pending_sums_(parts.buckets.all().size()),
      pending_spreads_(parts.buckets.all().size()) {
  size_t terms = 0;
  for (int rank = 0; rank < parts.communicator.size(); ++rank) {
    nodes_.push_back(tree_.nodes_of(parts.workers.micro_batches_of(rank)));
    terms += nodes_.back().size();
    rounds_ = std::max(rounds_, nodes_.back().size());
  }
  int64_t longest = 1;
  for (size_t b = 0; b < parts.buckets.all().size(); ++b) {
    longest = std::max(longest, parts.shares.my_share(b).size());
  }
  for (size_t i = 0; i < received_.size(); ++i) {
    received_[i] = allocate_tiled<float>(arena, tiles, fmt::format("exchange/received{}", i),
                                         int64_t(terms), longest, int64_t(terms), longest);
  }
  build_accumulations(arena, tiles, tiling, append_token_rows);
}

Range TreeSums::my_micro_batches() const {
  return parts_.workers.micro_batches_of(parts_.communicator.rank());
}

// ---- The terms of this rank.

void TreeSums::build_accumulations(Arena& arena, TileTable& tiles, const Tiling& tiling,
                                   const AppendTokenRows& append_token_rows) {
  const Range mine = my_micro_batches();
  for (int64_t i = mine.begin; i + 1 < mine.end; ++i) {
    const size_t sums = tree_.nodes_of({mine.begin, i + 1}).size();
    if (sums > partial_sums_.size()) {
      const ParameterTable* table = parts_.dweights.values().table;
      const ParameterView memory{table, arena.vector<float>(table->buffer_size())};
      partial_sums_.emplace_back(tiles, fmt::format("waiting_sum{}/", sums - 1), memory, tiling);
    }
    auto program = std::make_unique<Program>(fmt::format("accumulate{}", i - mine.begin), tiles);
    if (append_token_rows) append_token_rows(*program, i);
    append_accumulation(*program, i);
    accumulations_.push_back(std::move(program));
  }
}

// Adds the partial sums that the gradients of a micro-batch complete to these gradients, and keeps
// the result as a partial sum.
void TreeSums::append_accumulation(Program& program, int64_t micro_batch) const {
  const int64_t first = my_micro_batches().begin;
  const size_t depth = tree_.nodes_of({first, micro_batch}).size();
  const size_t target = depth - size_t(tree_.merges(first, micro_batch));
  for (const Range& group : parts_.buckets.groups({0, int64_t(parts_.buckets.units().size())})) {
    const Range range = parts_.buckets.elements_of(group);
    std::vector<TileId> reads = parts_.buckets.tiles(parts_.dweights, group);
    for (size_t k = target; k < depth; ++k) {
      reads = tiles_of({reads, parts_.buckets.tiles(partial_sums_[k], group)});
    }
    program.add({.name = {.kind = "accumulate", .tile = fmt::format("{}", group.begin)},
                 .phase = Phase::kBackward,
                 .reads = reads,
                 .writes = tiles_of({parts_.buckets.tiles(partial_sums_[target], group),
                                     parts_.buckets.tiles(parts_.dweights, group)}),
                 .run = [this, range, depth, target](std::byte*) {
                   const Vector<float> sum = elements(parts_.dweights, range);
                   for (size_t k = depth; k-- > target;) {
                     add(elements(partial_sums_[k], range), sum);
                   }
                   copy(sum, elements(partial_sums_[target], range));
                 }});
  }
}

const Program* TreeSums::accumulation(int64_t micro_step) const {
  if (size_t(micro_step) >= accumulations_.size()) return nullptr;
  return accumulations_[size_t(micro_step)].get();
}

// gradients += the partial sums that the last micro-batch completes.
void TreeSums::append_merges(Program& program, size_t bucket) const {
  const Range mine = my_micro_batches();
  if (mine.size() == 0) return;
  const auto merges = size_t(tree_.merges(mine.begin, mine.end - 1));
  const size_t depth = tree_.nodes_of({mine.begin, mine.end - 1}).size();
  if (merges == 0) return;
  for (const Range& group : parts_.buckets.groups(parts_.buckets.all()[bucket].units)) {
    const Range range = parts_.buckets.elements_of(group);
    std::vector<TileId> reads;
    for (size_t i = depth - merges; i < depth; ++i) {
      reads = tiles_of({reads, parts_.buckets.tiles(partial_sums_[i], group)});
    }
    program.add({.name = bucket_op_name(bucket, "exchange/merge", group.begin),
                 .phase = Phase::kBackward,
                 .reads = reads,
                 .writes = parts_.buckets.tiles(parts_.dweights, group),
                 .run = [this, range, merges, depth](std::byte*) {
                   for (size_t i = depth; i-- > depth - merges;) {
                     add(elements(partial_sums_[i], range), elements(parts_.dweights, range));
                   }
                 }});
  }
}

// ---- The exchange of partial sums.

void TreeSums::append_start(Program& program, size_t bucket) {
  const Range units = parts_.buckets.all()[bucket].units;
  append_merges(program, bucket);
  parts_.transfers.append_start(
      program, bucket_op_name(bucket, "exchange/sum"), parts_.buckets.tiles(partial_sums_, units),
      tiles_of({parts_.buckets.tiles(parts_.dweights, units), received(bucket).all()}),
      pending_sums_[bucket],
      [this, bucket](PendingTransfers& pending) { begin_exchange(bucket, pending); });
}

void TreeSums::append_finish(Program& program, size_t bucket) {
  const Range units = parts_.buckets.all()[bucket].units;
  parts_.transfers.append_finish(
      program, bucket_op_name(bucket, "exchange/sum"),
      tiles_of({parts_.buckets.tiles(parts_.dweights, units),
                parts_.buckets.tiles(partial_sums_, units), received(bucket).all()}),
      pending_sums_[bucket]);
  append_additions(program, bucket);
  if (parts_.shares.everyone_updates()) append_spread(program, bucket);
}

// Round i exchanges the i-th partial sum of every rank that has so many: each rank's share of it
// goes to that rank.
void TreeSums::begin_exchange(size_t bucket, PendingTransfers& pending) const {
  const Range all = parts_.buckets.all()[bucket].elements;
  const std::vector<int64_t> shares = parts_.shares.shares(bucket);
  const auto ranks = size_t(parts_.communicator.size());
  const auto me = size_t(parts_.communicator.rank());
  const std::vector<int64_t> none(ranks, 0);
  float* destination = received(bucket).matrix().data;
  for (size_t i = 0; i < rounds_; ++i) {
    const bool sends = i < nodes_[me].size();
    const bool is_last = i + 1 == nodes_[me].size();
    const TiledParameters& from = is_last || !sends ? parts_.dweights : partial_sums_[i];
    std::vector<int64_t> arriving(ranks);
    for (size_t r = 0; r < ranks; ++r) arriving[r] = i < nodes_[r].size() ? shares[me] : 0;
    const int64_t size = part_begins(arriving).back();
    pending.push_back(parts_.communicator.begin_exchange(elements(from, all), sends ? shares : none,
                                                         {destination, size_t(size)}, arriving));
    destination += size;
    if (sends) {
      parts_.transfers.meter().sent((all.size() - shares[me]) * int64_t(sizeof(float)));
    }
  }
}

// gradients[share] = the partial sums of all ranks, added up in the order of the tree.
void TreeSums::append_additions(Program& program, size_t bucket) const {
  const Range share = parts_.shares.my_share(bucket);
  std::vector<Range> nodes;
  for (const std::vector<Range>& of_rank : nodes_) {
    nodes.insert(nodes.end(), of_rank.begin(), of_rank.end());
  }
  const std::vector<int64_t> places = places_of_terms(nodes_, rounds_);
  const auto additions = tree_.additions(nodes);
  for (const Range& group : parts_.buckets.groups(parts_.buckets.units_in(share))) {
    const Range range = parts_.buckets.elements_of(group);
    const auto run = [terms_at = received(bucket).matrix().data, places, additions, share, range,
                      sum = elements(parts_.dweights, range)](std::byte* scratch) {
      float* terms = reinterpret_cast<float*>(scratch);
      for (const Range& block : split(range.size(), kBlock)) {
        const auto size = size_t(block.size());
        for (size_t t = 0; t < places.size(); ++t) {
          const float* from =
              terms_at + places[t] * share.size() + (range.begin - share.begin) + block.begin;
          std::memcpy(terms + t * kBlock, from, size * sizeof(float));
        }
        for (const auto& [to, from] : additions) {
          add({terms + from * kBlock, size}, {terms + to * kBlock, size});
        }
        std::memcpy(&sum[size_t(block.begin)], terms, size * sizeof(float));
      }
    };
    program.add({.name = bucket_op_name(bucket, "exchange/add", group.begin),
                 .phase = Phase::kUpdate,
                 .reads = received(bucket).all(),
                 .writes = parts_.buckets.tiles(parts_.dweights, group),
                 .run = run,
                 .scratch_bytes = places.size() * size_t(kBlock) * sizeof(float),
                 .moved_bytes = bytes_moved(range, places.size(), 1)});
  }
}

void TreeSums::append_spread(Program& program, size_t bucket) {
  const OpName name = bucket_op_name(bucket, "exchange/spread");
  const std::vector<TileId> gradients =
      parts_.buckets.tiles(parts_.dweights, parts_.buckets.all()[bucket].units);
  const auto begin = [this, bucket](PendingTransfers& pending) {
    const Range all = parts_.buckets.all()[bucket].elements;
    pending.push_back(parts_.strategy.begin_spread_sums(elements(parts_.dweights, all),
                                                        parts_.shares.shares(bucket)));
    parts_.transfers.meter().sent(int64_t(sizeof(float)) * parts_.shares.my_share(bucket).size() *
                                  (parts_.communicator.size() - 1));
  };
  parts_.transfers.append_start(program, name, {}, gradients, pending_spreads_[bucket], begin);
  parts_.transfers.append_finish(program, name, gradients, pending_spreads_[bucket]);
}

}  // namespace weft
