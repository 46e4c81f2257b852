#include "parallel/shared_norm.h"

#include <algorithm>
#include <vector>

#include "kernels/adamw.h"

namespace weft {

SharedNorm::SharedNorm(Arena& arena, TileTable& tiles, const Parts& parts)
    : parts_(parts),
      partials_(allocate_tiled<double>(arena, tiles, "norm/unit_partials", 1,
                                       int64_t(parts.buckets.units().size()), 1, 1)) {}

void SharedNorm::append_partials(Program& program, size_t bucket) const {
  for (const Range& group : parts_.buckets.groups(parts_.shares.my_units(bucket))) {
    const auto run = [this, group](std::byte*) {
      for (int64_t u = group.begin; u < group.end; ++u) {
        const Range unit = parts_.buckets.units()[size_t(u)].elements;
        partials_.matrix().at(0, u) = sum_of_squares(elements(parts_.dweights, unit));
      }
    };
    program.add({.name = bucket_op_name(bucket, "norm/partials", group.begin),
                 .phase = Phase::kUpdate,
                 .reads = parts_.buckets.tiles(parts_.dweights, group),
                 .writes = partials_.over_cols(group),
                 .run = run,
                 .moved_bytes = bytes_moved(parts_.buckets.elements_of(group), 1, 0)});
  }
}

void SharedNorm::append_norm(Program& program) {
  if (!parts_.shares.everyone_updates()) append_exchange(program);
  parts_.norm.append_norm(program, partials_);
}

// Every partial sum is one rank's, and zero elsewhere, so the sum over ranks is exact.
void SharedNorm::append_exchange(Program& program) {
  const auto begin = [this](PendingTransfers& pending) {
    std::vector<bool> mine(parts_.buckets.units().size(), false);
    for (size_t b = 0; b < parts_.buckets.all().size(); ++b) {
      const Range units = parts_.shares.my_units(b);
      std::fill(mine.begin() + units.begin, mine.begin() + units.end, true);
    }
    const Vector<double> partials = partials_.matrix().row(0);
    for (size_t u = 0; u < mine.size(); ++u) {
      if (!mine[u]) partials[u] = 0.;
    }
    pending.push_back(parts_.communicator.begin_all_reduce(partials));
    parts_.transfers.meter().sent(int64_t(partials.size_bytes()));
  };
  const OpName name{.kind = "norm/exchange"};
  parts_.transfers.append_start(program, name, {}, partials_.all(), pending_, begin);
  parts_.transfers.append_finish(program, name, partials_.all(), pending_);
}

}  // namespace weft
