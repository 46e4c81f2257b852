#include "parallel/weight_updates.h"

#include <algorithm>

namespace weft {

int64_t WeightUpdates::reader_of(size_t bucket, const FirstReader& first_reader) const {
  const Range units = parts_.buckets.all()[bucket].units;
  int64_t reader = first_reader(parts_.buckets.units()[size_t(units.begin)].parameter);
  for (int64_t u = units.begin; u < units.end; ++u) {
    reader = std::min(reader, first_reader(parts_.buckets.units()[size_t(u)].parameter));
  }
  return reader;
}

// The last bucket holds the weights that the forward pass reads first.
void WeightUpdates::append_updates(Program& program, int64_t layer,
                                   const FirstReader& first_reader) {
  for (size_t b = parts_.buckets.all().size(); b-- > 0;) {
    if (reader_of(b, first_reader) != layer) continue;
    append_update(program, parts_.shares.my_units(b));
    if (!parts_.shares.everyone_updates()) append_send(program, b);
  }
}

void WeightUpdates::append_arrivals(Program& program, int64_t layer,
                                    const FirstReader& first_reader) {
  if (parts_.shares.everyone_updates()) return;
  for (size_t b = parts_.buckets.all().size(); b-- > 0;) {
    if (reader_of(b, first_reader) != layer) continue;
    parts_.transfers.append_finish(
        program, bucket_op_name(b, "exchange/weights"),
        parts_.buckets.tiles(parts_.weights, parts_.buckets.all()[b].units), pending_[b]);
  }
}

void WeightUpdates::append_update(Program& program, Range units) const {
  const std::vector<Parameter>& parameters = parts_.weights.values().table->all();
  const std::vector<TiledParameters>& state = parts_.update.state();
  for (const Range& group : parts_.buckets.groups(units)) {
    const size_t parameter = parts_.buckets.units()[size_t(group.begin)].parameter;
    const auto run = [this, group, parameter](std::byte*) {
      for (int64_t u = group.begin; u < group.end; ++u) {
        parts_.update.update(parameter, parts_.buckets.units()[size_t(u)].elements);
      }
    };
    program.add(
        {.name = parameters[parameter].op_name("update", group.begin),
         .phase = Phase::kUpdate,
         .reads = tiles_of({parts_.buckets.tiles(parts_.dweights, group), parts_.update.reads()}),
         .writes = tiles_of(
             {parts_.buckets.tiles(parts_.weights, group), parts_.buckets.tiles(state, group)}),
         .run = run,
         .moved_bytes = bytes_moved(parts_.buckets.elements_of(group), 1, 1 + state.size())});
  }
}

void WeightUpdates::append_send(Program& program, size_t bucket) {
  const auto begin = [this, bucket](PendingTransfers& pending) {
    if (!parts_.update.is_due()) return;
    pending.push_back(parts_.strategy.begin_spread_weights(
        elements(parts_.weights, parts_.buckets.all()[bucket].elements),
        parts_.shares.shares(bucket)));
    parts_.transfers.meter().sent(int64_t(sizeof(float)) * parts_.shares.my_share(bucket).size() *
                                  (parts_.communicator.size() - 1));
  };
  parts_.transfers.append_start(
      program, bucket_op_name(bucket, "exchange/weights"), {},
      parts_.buckets.tiles(parts_.weights, parts_.buckets.all()[bucket].units), pending_[bucket],
      begin);
}

}  // namespace weft
