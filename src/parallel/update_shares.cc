#include "parallel/update_shares.h"

#include <algorithm>
#include <utility>

namespace weft {

std::vector<int64_t> UpdateShares::shares(size_t bucket) const {
  const Bucket& b = buckets_.all()[bucket];
  if (updaters_ != Updaters::kRank0) return buckets_.shares(b, ranks_);
  std::vector<int64_t> shares(size_t(ranks_), 0);
  shares[0] = b.elements.size();
  return shares;
}

Range UpdateShares::my_share(size_t bucket) const {
  const Bucket& b = buckets_.all()[bucket];
  const std::vector<int64_t> begins = part_begins(shares(bucket));
  const auto rank = size_t(rank_);
  return {b.elements.begin + begins[rank], b.elements.begin + begins[rank + 1]};
}

Range UpdateShares::my_units(size_t bucket) const {
  if (everyone_updates()) return buckets_.all()[bucket].units;
  return buckets_.units_in(my_share(bucket));
}

double UpdateShares::state_share() const {
  int64_t mine = 0, all = 0;
  for (size_t b = 0; b < buckets_.all().size(); ++b) {
    const Range units = my_units(b);
    if (units.size() > 0) mine += buckets_.elements_of(units).size();
    all += buckets_.all()[b].elements.size();
  }
  return double(mine) / double(all);
}

std::vector<UpdateShares::Keepers> UpdateShares::keepers_of(Range elements) const {
  const auto inside = [&](int64_t at) { return std::clamp(at, elements.begin, elements.end); };
  std::vector<Keepers> keepers;
  for (size_t b = 0; b < buckets_.all().size(); ++b) {
    const Range bucket = buckets_.all()[b].elements;
    const int64_t begin = inside(bucket.begin);
    if (inside(bucket.end) == begin) continue;
    std::vector<int64_t> counts;
    int64_t at = bucket.begin;
    for (const int64_t share : shares(b)) {
      counts.push_back(inside(at + share) - inside(at));
      at += share;
    }
    keepers.push_back({begin, std::move(counts)});
  }
  return keepers;
}

}  // namespace weft
