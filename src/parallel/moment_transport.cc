#include "parallel/moment_transport.h"

#include <algorithm>

#include "base/arena.h"

namespace weft {

MomentTransport::MomentTransport(Communicator& communicator, const Distribution* distribution,
                                 const std::vector<OptimizerTensor>& state)
    : communicator_(communicator), distribution_(distribution), state_(state) {}

void MomentTransport::scatter() const {
  for (const OptimizerTensor& tensor : state_) {
    const Vector<float> buffer = tensor.values.data;
    if (keeps_all()) {
      wait_for(communicator_.begin_broadcast(buffer, 0));
    } else {
      const Place all = {buffer, {0, int64_t(buffer.size())}};
      move(all, Direction::kFromMain);
      release(all);
    }
  }
}

void MomentTransport::fetch(const std::string& tensor) {
  communicator_.broadcast(tensor);
  if (!fetched_.empty()) release(place_of(fetched_));
  fetched_ = tensor;
  if (!tensor.empty()) move(place_of(tensor), Direction::kToMain);
}

void MomentTransport::serve() const {
  for (std::string tensor = communicator_.broadcast(""); !tensor.empty();
       tensor = communicator_.broadcast("")) {
    move(place_of(tensor), Direction::kToMain);
  }
}

// "m/block3/qkvw" is the part of the state's tensor "m" that belongs to the parameter
// "block3/qkvw".
MomentTransport::Place MomentTransport::place_of(const std::string& tensor) const {
  const size_t slash = tensor.find('/');
  const ParameterView& values =
      std::ranges::find(state_, tensor.substr(0, slash), &OptimizerTensor::name)->values;
  const Parameter& p =
      *std::ranges::find(values.table->all(), tensor.substr(slash + 1), &Parameter::name);
  return {values.data, {p.offset, p.offset + p.size()}};
}

void MomentTransport::move(const Place& place, Direction direction) const {
  for (const UpdateShares::Keepers& keepers : distribution_->shares().keepers_of(place.elements)) {
    exchange_with_main(place.buffer, keepers.begin, keepers.counts, direction);
  }
}

// Rank 0 gives back the memory of the moments that it held for others.
void MomentTransport::release(const Place& place) const {
  if (!is_main()) return;
  for (const UpdateShares::Keepers& keepers : distribution_->shares().keepers_of(place.elements)) {
    const int64_t own = keepers.counts[0];
    const int64_t others = part_begins(keepers.counts).back() - own;
    Arena::release(place.buffer.subspan(size_t(keepers.begin + own), size_t(others)));
  }
}

// The elements from `offset` on are divided among the ranks: counts[r] of them are rank r's. Each
// rank exchanges its part with rank 0. Rank 0's own part stays where it is, because its memory must
// not be both ends of a transfer.
void MomentTransport::exchange_with_main(Vector<float> values, int64_t offset,
                                         const std::vector<int64_t>& counts,
                                         Direction direction) const {
  const auto rank = size_t(communicator_.rank());
  const std::vector<int64_t> begins = part_begins(counts);
  const Vector<float> all = values.subspan(size_t(offset), size_t(begins.back()));
  const std::vector<int64_t> none(counts.size(), 0);
  std::vector<int64_t> with_main = none, with_others = none;
  if (is_main()) {
    with_others = counts;
    with_others[0] = 0;
  } else {
    with_main[0] = counts[rank];
  }
  const Vector<float> others = all.subspan(size_t(counts[0]));
  const Vector<float> mine = all.subspan(size_t(begins[rank]), size_t(counts[rank]));
  const Vector<float> nothing;
  if (direction == Direction::kToMain) {
    wait_for(communicator_.begin_exchange(is_main() ? nothing : mine, with_main,
                                          is_main() ? others : nothing, with_others));
  } else {
    wait_for(communicator_.begin_exchange(is_main() ? others : nothing, with_others,
                                          is_main() ? nothing : mine, with_main));
  }
}

}  // namespace weft
