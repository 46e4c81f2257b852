#include "parallel/distribution.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/math.h"
#include "kernels/adamw.h"
#include "kernels/elementwise.h"

namespace weft {
namespace {

constexpr int64_t kBlock = 1024;  // floats of each term, added up in the first cache level

// An error of a transfer is the op's.
template <typename Work>
void naming(const std::string& op, const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    throw failure(op, error.message(), error.hint());
  }
}

Workers one_term_each(Workers workers) {
  workers.micro_steps = 1;
  return workers;
}

// Apart where they are fewer than wte's, which decides it by the step alone where bits must not
// depend on the number of ranks.
std::optional<TokenRows> make_token_rows(const Workers& terms, const Distribution::Parts& parts) {
  const int64_t rows = terms.micro_batches() * parts.token_rows.rows();
  if (rows >= parts.dweights.get(Tensor::wte).rows()) return std::nullopt;
  return TokenRows(parts.arena, parts.tiles, terms, parts.tokens, parts.token_rows);
}

void copy(Vector<const float> from, Vector<float> to) {
  std::copy(from.begin(), from.end(), to.begin());
}

// As Op::moved_bytes counts them: of so many arrays that are read, and written.
size_t moved_bytes(Range elements, size_t read, size_t written) {
  return size_t(elements.size()) * sizeof(float) * (read + 2 * written);
}

}  // namespace

// The weight of a linear layer is complete with its bias, whose gradient the same ops compute.
class Distribution::Sink : public GradientSink {
 public:
  Sink(Program& program, const Distribution& distribution)
      : program_(program),
        distribution_(distribution),
        complete_(distribution.parts_.dweights.values().table->all().size(), false) {}

  Epilogue on_tile(size_t parameter) override {
    under_way_.push_back(parameter);
    return {};
  }

  bool takes_token_rows() const override { return distribution_.takes_token_rows(true); }

  void on_parameter(size_t parameter) override {
    complete_[parameter] = true;
    for (size_t weight : std::exchange(under_way_, {})) complete_[weight] = true;
    const std::vector<Bucket>& all = distribution_.buckets_.all();
    for (; next_ < all.size() && is_complete(all[next_]); ++next_) {
      distribution_.append_sum_start(program_, next_);
      if (next_ > 0) distribution_.append_sum_finish(program_, next_ - 1);
    }
  }

 private:
  bool is_complete(const Bucket& bucket) const {
    for (int64_t u = bucket.units.begin; u < bucket.units.end; ++u) {
      if (!complete_[distribution_.buckets_.units()[size_t(u)].parameter]) return false;
    }
    return true;
  }

  Program& program_;
  const Distribution& distribution_;
  std::vector<bool> complete_;
  std::vector<size_t> under_way_;
  size_t next_ = 0;  // bucket
};

Distribution::Distribution(const DistributionSettings& settings, const Workers& workers,
                           Communicator& communicator, const Parts& parts)
    : settings_(settings),
      communicator_(communicator),
      parts_(parts),
      terms_(settings.reproducible ? workers : one_term_each(workers)),
      token_rows_(make_token_rows(terms_, parts)),
      buckets_(parts.dweights, int64_t(settings.bucket_mb * double(1 << 20)),
               token_rows_ ? Buckets::Wte::kFirst : Buckets::Wte::kLast,
               parts.update.optimizer().granularity()),
      strategy_(make_strategy(settings.strategy, communicator)),
      exchanges_(settings.reproducible || !strategy_->library_sums()),
      tree_(terms_.micro_batches()),
      sums_(buckets_.all().size()),
      spread_sums_(buckets_.all().size()),
      spread_weights_(buckets_.all().size()) {
  const auto units = int64_t(buckets_.units().size());
  partials_ =
      allocate_tiled<double>(parts.arena, parts.tiles, "norm/unit_partials", 1, units, 1, 1);
  channel_ = allocate_tiled<int32_t>(parts.arena, parts.tiles, "channel", 1, 1, 1, 1);
  for (int rank = 0; rank < communicator.size(); ++rank) {
    nodes_.push_back(tree_.nodes_of(terms_.micro_batches_of(rank)));
  }
  if (exchanges_) {
    size_t terms = 0;
    for (const std::vector<Range>& nodes : nodes_) terms += nodes.size();
    int64_t longest = 1;
    for (size_t b = 0; b < buckets_.all().size(); ++b) {
      longest = std::max(longest, my_share(b).size());
    }
    for (size_t i = 0; i < received_.size(); ++i) {
      received_[i] =
          allocate_tiled<float>(parts.arena, parts.tiles, fmt::format("exchange/received{}", i),
                                int64_t(terms), longest, int64_t(terms), longest);
    }
    build_accumulations();
  }
}

OpName Distribution::name_of(size_t bucket, const char* kind, int64_t group) const {
  return {.kind = kind,
          .index = int64_t(bucket),
          .tile = group == OpName::kNone ? "" : fmt::format("{}", group)};
}

Range Distribution::my_share(size_t bucket) const {
  const Bucket& b = buckets_.all()[bucket];
  const std::vector<int64_t> begins = part_begins(strategy_->shares(buckets_, b));
  const auto rank = size_t(communicator_.rank());
  return {b.elements.begin + begins[rank], b.elements.begin + begins[rank + 1]};
}

Range Distribution::elements_of(Range units) const {
  return {buckets_.units()[size_t(units.begin)].elements.begin,
          buckets_.units()[size_t(units.end - 1)].elements.end};
}

Range Distribution::my_units(size_t bucket) const {
  if (strategy_->everyone_updates()) return buckets_.all()[bucket].units;
  return buckets_.units_in(my_share(bucket));
}

// ---- Transfers as pairs of ops.

void Distribution::add_start(Program& program, const OpName& name, std::vector<TileId> reads,
                             std::vector<TileId> writes, Flights& flights,
                             std::function<void(Flights&)> begin) const {
  OpName start = name;
  start.kind += "/start";
  program.add({.name = start,
               .phase = Phase::kCommunication,
               .reads = std::move(reads),
               .writes = tiles_of({std::move(writes), channel_.all()}),
               .run =
                   [&flights, begin = std::move(begin), name = name.text(), this](std::byte*) {
                     flights.clear();
                     naming(name, [&] { begin(flights); });
                     meter_.begins(&flights);
                   },
               .begins = name});
}

void Distribution::add_finish(Program& program, const OpName& name, std::vector<TileId> writes,
                              Flights& flights) const {
  program.add({.name = name,
               .phase = Phase::kCommunication,
               .reads = {},
               .writes = std::move(writes),
               .run = [](std::byte*) {},
               .poll =
                   [&flights, name = name.text(), this] {
                     bool done = true;
                     naming(name, [&] {
                       for (Request& flight : flights) done = done && flight.test();
                     });
                     if (done) meter_.ends(&flights);
                     return done;
                   }});
}

// ---- Gradients.

std::unique_ptr<GradientSink> Distribution::sink(Program& program) const {
  return std::make_unique<Sink>(program, *this);
}

void Distribution::append_sums(Program& program) const {
  for (size_t b = 0; b < buckets_.all().size(); ++b) {
    append_sum_start(program, b);
    if (b > 0) append_sum_finish(program, b - 1);
  }
}

void Distribution::append_sum_start(Program& program, size_t b) const {
  const Bucket& bucket = buckets_.all()[b];
  const std::vector<TileId> gradients = buckets_.tiles(parts_.dweights, bucket.units);
  if (exchanges_) {
    append_merges(program, b);
    std::vector<TileId> waiting;
    for (const TiledParameters& sums : waiting_sums_) {
      waiting = tiles_of({waiting, buckets_.tiles(sums, bucket.units)});
    }
    add_start(program, name_of(b, "exchange/sum"), waiting,
              tiles_of({gradients, received_[b % kReceiveBuffers].all()}), sums_[b],
              [this, b](Flights& flights) { begin_partial_sums(b, flights); });
    return;
  }
  add_start(program, name_of(b, "exchange/sum"), {}, gradients, sums_[b],
            [this, range = bucket.elements](Flights& flights) {
              const Vector<float> gradients = elements(parts_.dweights, range);
              if (!works()) std::ranges::fill(gradients, 0.f);
              flights.push_back(strategy_->begin_sum(gradients));
              meter_.sent(strategy_->sum_bytes(range.size()));
            });
}

void Distribution::append_sum_finish(Program& program, size_t b) const {
  const Bucket& bucket = buckets_.all()[b];
  const std::vector<TileId> gradients = buckets_.tiles(parts_.dweights, bucket.units);
  if (exchanges_) {
    std::vector<TileId> waiting;
    for (const TiledParameters& sums : waiting_sums_) {
      waiting = tiles_of({waiting, buckets_.tiles(sums, bucket.units)});
    }
    add_finish(program, name_of(b, "exchange/sum"),
               tiles_of({gradients, waiting, received_[b % kReceiveBuffers].all()}), sums_[b]);
    append_tree_sum(program, b);
    if (strategy_->everyone_updates()) append_spread_sums(program, b);
  } else {
    add_finish(program, name_of(b, "exchange/sum"), gradients, sums_[b]);
  }
  if (!lacks_token_rows(b)) append_norm_partials(program, b);
}

// ---- What the lookup adds to wte's gradient.

bool Distribution::lacks_token_rows(size_t b) const {
  const size_t wte = parts_.weights.values().table->index(Tensor::wte);
  return token_rows_ && buckets_.units()[size_t(buckets_.all()[b].units.begin)].parameter == wte;
}

void Distribution::append_token_rows_start(Program& program) const {
  if (!token_rows_) return;
  if (works()) {
    token_rows_->append_pack(program, terms_.micro_batches_of(communicator_.rank()).end - 1);
  }
  const auto begin = [this](Flights& flights) {
    const Matrix<float> places = token_rows_->places().matrix();
    const std::vector<int64_t> counts = token_rows_->counts();
    flights.push_back(
        communicator_.begin_all_gather({places.data, size_t(places.rows * places.cols)}, counts));
    meter_.sent(int64_t(sizeof(float)) * counts[size_t(communicator_.rank())] *
                (communicator_.size() - 1));
  };
  add_start(program, {.kind = "token_rows"}, {}, token_rows_->places().all(), token_rows_flight_,
            begin);
}

void Distribution::append_token_rows_finish(Program& program) const {
  if (!token_rows_) return;
  const Tiled<float>& places = token_rows_->places();
  const Parameter& wte = parts_.weights.values().table->get(Tensor::wte);
  add_finish(program, {.kind = "token_rows"}, places.all(), token_rows_flight_);
  for (size_t b = 0; b < buckets_.all().size(); ++b) {
    if (!lacks_token_rows(b)) continue;
    for (const Range& group : buckets_.groups(my_units(b))) {
      const Range range = elements_of(group);
      const double share = double(range.size()) / double(wte.size());
      program.add({.name = name_of(b, "exchange/rows", group.begin),
                   .phase = Phase::kUpdate,
                   .reads = places.all(),
                   .writes = buckets_.tiles(parts_.dweights, group),
                   .run = [this, within = Range{range.begin - wte.offset, range.end - wte.offset},
                           sum = elements(parts_.dweights, range)](
                              std::byte*) { token_rows_->add_to(within, sum); },
                   // A row of the sum for each of the tokens that fall to it.
                   .moved_bytes = size_t(
                       share * double(moved_bytes({0, places.rows() * places.cols()}, 1, 1)))});
    }
    append_norm_partials(program, b);
  }
}

// ---- Exchanged sums.

// gradients += the sums of earlier micro-batches that the last one completes.
void Distribution::append_merges(Program& program, size_t b) const {
  if (!works()) return;
  const Range mine = terms_.micro_batches_of(communicator_.rank());
  const auto merges = size_t(tree_.merges(mine.begin, mine.end - 1));
  const size_t depth = tree_.nodes_of({mine.begin, mine.end - 1}).size();
  if (merges == 0) return;
  for (const Range& group : buckets_.groups(buckets_.all()[b].units)) {
    const Range range = elements_of(group);
    std::vector<TileId> reads;
    for (size_t i = depth - merges; i < depth; ++i) {
      reads = tiles_of({reads, buckets_.tiles(waiting_sums_[i], group)});
    }
    program.add({.name = name_of(b, "exchange/merge", group.begin),
                 .phase = Phase::kBackward,
                 .reads = reads,
                 .writes = buckets_.tiles(parts_.dweights, group),
                 .run = [this, range, merges, depth](std::byte*) {
                   for (size_t i = depth; i-- > depth - merges;) {
                     add(elements(waiting_sums_[i], range), elements(parts_.dweights, range));
                   }
                 }});
  }
}

// After each micro-step but the last: its gradients, with the sums that they complete, wait.
void Distribution::build_accumulations() {
  if (!works()) return;
  const Range mine = terms_.micro_batches_of(communicator_.rank());
  for (int64_t i = mine.begin; i + 1 < mine.end; ++i) {
    const size_t depth = tree_.nodes_of({mine.begin, i}).size();
    const auto merges = size_t(tree_.merges(mine.begin, i));
    const size_t target = depth - merges;
    if (target == waiting_sums_.size()) {
      const ParameterView memory{
          parts_.dweights.values().table,
          parts_.arena.vector<float>(parts_.dweights.values().table->buffer_size())};
      waiting_sums_.emplace_back(parts_.tiles, fmt::format("waiting_sum{}/", target), memory,
                                 parts_.tiling);
    }
    auto program =
        std::make_unique<Program>(fmt::format("accumulate{}", i - mine.begin), parts_.tiles);
    if (token_rows_) token_rows_->append_pack(*program, i);
    for (const Range& group : buckets_.groups({0, int64_t(buckets_.units().size())})) {
      const Range range = elements_of(group);
      std::vector<TileId> reads = buckets_.tiles(parts_.dweights, group);
      for (size_t k = target; k < depth; ++k) {
        reads = tiles_of({reads, buckets_.tiles(waiting_sums_[k], group)});
      }
      program->add({.name = {.kind = "accumulate", .tile = fmt::format("{}", group.begin)},
                    .phase = Phase::kBackward,
                    .reads = reads,
                    .writes = tiles_of({buckets_.tiles(waiting_sums_[target], group),
                                        buckets_.tiles(parts_.dweights, group)}),
                    .run = [this, range, depth, target](std::byte*) {
                      const Vector<float> sum = elements(parts_.dweights, range);
                      for (size_t k = depth; k-- > target;) {
                        add(elements(waiting_sums_[k], range), sum);
                      }
                      copy(sum, elements(waiting_sums_[target], range));
                    }});
    }
    accumulations_.push_back(std::move(program));
  }
}

const Program* Distribution::accumulation(int64_t micro_step) const {
  if (size_t(micro_step) >= accumulations_.size()) return nullptr;
  return accumulations_[size_t(micro_step)].get();
}

// The i-th partial sum of every rank that has so many, each rank's share of them to that rank. The
// last of a rank's sums lies in the gradients, the others wait.
void Distribution::begin_partial_sums(size_t b, Flights& flights) const {
  const Bucket& bucket = buckets_.all()[b];
  const std::vector<int64_t> shares = strategy_->shares(buckets_, bucket);
  const auto ranks = size_t(communicator_.size());
  const auto me = size_t(communicator_.rank());
  const std::vector<int64_t> none(ranks, 0);
  size_t rounds = 0;
  for (const std::vector<Range>& nodes : nodes_) rounds = std::max(rounds, nodes.size());
  float* received = received_[b % kReceiveBuffers].matrix().data;
  for (size_t i = 0; i < rounds; ++i) {
    const bool sends = i < nodes_[me].size();
    const bool is_last = i + 1 == nodes_[me].size();
    const TiledParameters& from = is_last || !sends ? parts_.dweights : waiting_sums_[i];
    std::vector<int64_t> arriving(ranks);
    for (size_t r = 0; r < ranks; ++r) arriving[r] = i < nodes_[r].size() ? shares[me] : 0;
    const int64_t size = part_begins(arriving).back();
    flights.push_back(communicator_.begin_exchange(elements(from, bucket.elements),
                                                   sends ? shares : none, {received, size_t(size)},
                                                   arriving));
    received += size;
    if (sends) meter_.sent((bucket.elements.size() - shares[me]) * int64_t(sizeof(float)));
  }
}

// gradients[share] = the partial sums of all ranks, added up in the order of the tree.
void Distribution::append_tree_sum(Program& program, size_t b) const {
  const Range share = my_share(b);
  // Terms lie round by round, by rank within a round; the tree wants them by micro-batch.
  std::vector<Range> nodes;
  std::vector<int64_t> places;
  size_t rounds = 0;
  for (const std::vector<Range>& of_rank : nodes_) rounds = std::max(rounds, of_rank.size());
  for (const std::vector<Range>& of_rank : nodes_) {
    for (const Range& node : of_rank) nodes.push_back(node);
  }
  int64_t place = 0;
  std::vector<std::pair<int64_t, int64_t>> order;  // (first micro-batch, place)
  for (size_t i = 0; i < rounds; ++i) {
    for (const std::vector<Range>& of_rank : nodes_) {
      if (i < of_rank.size()) order.emplace_back(of_rank[i].begin, place++);
    }
  }
  std::ranges::sort(order);
  places.reserve(order.size());
  for (const auto& [first, at] : order) places.push_back(at);
  const auto additions = tree_.additions(nodes);

  for (const Range& group : buckets_.groups(buckets_.units_in(share))) {
    const Range range = elements_of(group);
    program.add({.name = name_of(b, "exchange/add", group.begin),
                 .phase = Phase::kUpdate,
                 .reads = received_[b % kReceiveBuffers].all(),
                 .writes = buckets_.tiles(parts_.dweights, group),
                 .run =
                     [received = received_[b % kReceiveBuffers].matrix().data, places, additions,
                      share, range, sum = elements(parts_.dweights, range)](std::byte* scratch) {
                       float* terms = reinterpret_cast<float*>(scratch);
                       for (const Range& block : split(range.size(), kBlock)) {
                         const auto size = size_t(block.size());
                         for (size_t t = 0; t < places.size(); ++t) {
                           const float* from = received + places[t] * share.size() +
                                               (range.begin - share.begin) + block.begin;
                           std::memcpy(terms + t * kBlock, from, size * sizeof(float));
                         }
                         for (const auto& [to, from] : additions) {
                           add({terms + from * kBlock, size}, {terms + to * kBlock, size});
                         }
                         std::memcpy(&sum[size_t(block.begin)], terms, size * sizeof(float));
                       }
                     },
                 .scratch_bytes = places.size() * size_t(kBlock) * sizeof(float),
                 .moved_bytes = moved_bytes(range, places.size(), 1)});
  }
}

void Distribution::append_spread_sums(Program& program, size_t b) const {
  const Bucket& bucket = buckets_.all()[b];
  const std::vector<TileId> gradients = buckets_.tiles(parts_.dweights, bucket.units);
  const auto begin = [this, b](Flights& flights) {
    const Bucket& bucket = buckets_.all()[b];
    flights.push_back(strategy_->begin_spread_sums(elements(parts_.dweights, bucket.elements),
                                                   strategy_->shares(buckets_, bucket)));
    meter_.sent(int64_t(sizeof(float)) * my_share(b).size() * (communicator_.size() - 1));
  };
  add_start(program, name_of(b, "exchange/spread"), {}, gradients, spread_sums_[b], begin);
  add_finish(program, name_of(b, "exchange/spread"), gradients, spread_sums_[b]);
}

// ---- The norm.

void Distribution::append_norm_partials(Program& program, size_t b) const {
  for (const Range& group : buckets_.groups(my_units(b))) {
    program.add({.name = name_of(b, "norm/partials", group.begin),
                 .phase = Phase::kUpdate,
                 .reads = buckets_.tiles(parts_.dweights, group),
                 .writes = partials_.over_cols(group),
                 .run =
                     [this, group](std::byte*) {
                       for (int64_t u = group.begin; u < group.end; ++u) {
                         partials_.matrix().at(0, u) = sum_of_squares(
                             elements(parts_.dweights, buckets_.units()[size_t(u)].elements));
                       }
                     },
                 .moved_bytes = moved_bytes(elements_of(group), 1, 0)});
  }
}

void Distribution::append_norm(Program& program) const {
  append_token_rows_start(program);
  append_sum_finish(program, buckets_.all().size() - 1);
  append_token_rows_finish(program);
  if (!strategy_->everyone_updates()) {
    // Every partial is one rank's, and zero elsewhere: their sum is exact.
    const auto begin = [this](Flights& flights) {
      std::vector<bool> mine(buckets_.units().size(), false);
      for (size_t b = 0; b < buckets_.all().size(); ++b) {
        const Range units = my_units(b);
        std::fill(mine.begin() + units.begin, mine.begin() + units.end, true);
      }
      const Vector<double> partials = partials_.matrix().row(0);
      for (size_t u = 0; u < mine.size(); ++u) {
        if (!mine[u]) partials[u] = 0.;
      }
      flights.push_back(communicator_.begin_all_reduce(partials));
      meter_.sent(int64_t(partials.size_bytes()));
    };
    add_start(program, {.kind = "norm/exchange"}, {}, partials_.all(), norm_flight_, begin);
    add_finish(program, {.kind = "norm/exchange"}, partials_.all(), norm_flight_);
  }
  parts_.norm.append_norm(program, partials_);
}

// ---- Updates and weights.

int64_t Distribution::reader_of(size_t bucket, const FirstReader& first_reader) const {
  const Range units = buckets_.all()[bucket].units;
  int64_t reader = first_reader(buckets_.units()[size_t(units.begin)].parameter);
  for (int64_t u = units.begin; u < units.end; ++u) {
    reader = std::min(reader, first_reader(buckets_.units()[size_t(u)].parameter));
  }
  return reader;
}

void Distribution::append_updates(Program& program, int64_t layer,
                                  const FirstReader& first_reader) const {
  for (size_t b = buckets_.all().size(); b-- > 0;) {
    if (reader_of(b, first_reader) != layer) continue;
    append_update(program, my_units(b));
    if (strategy_->everyone_updates()) continue;
    const auto begin = [this, b](Flights& flights) {
      if (!parts_.update.is_due()) return;
      const Bucket& bucket = buckets_.all()[b];
      flights.push_back(strategy_->begin_spread_weights(elements(parts_.weights, bucket.elements),
                                                        strategy_->shares(buckets_, bucket)));
      meter_.sent(int64_t(sizeof(float)) * my_share(b).size() * (communicator_.size() - 1));
    };
    add_start(program, name_of(b, "exchange/weights"), {},
              buckets_.tiles(parts_.weights, buckets_.all()[b].units), spread_weights_[b], begin);
  }
}

void Distribution::append_arrivals(Program& program, int64_t layer,
                                   const FirstReader& first_reader) const {
  if (strategy_->everyone_updates()) return;
  for (size_t b = buckets_.all().size(); b-- > 0;) {
    if (reader_of(b, first_reader) != layer) continue;
    add_finish(program, name_of(b, "exchange/weights"),
               buckets_.tiles(parts_.weights, buckets_.all()[b].units), spread_weights_[b]);
  }
}

void Distribution::append_update(Program& program, Range units) const {
  const ParameterTable& table = *parts_.weights.values().table;
  for (const Range& group : buckets_.groups(units)) {
    const Unit& first = buckets_.units()[size_t(group.begin)];
    std::vector<TileId> writes = buckets_.tiles(parts_.weights, group);
    for (const TiledParameters& tensor : parts_.update.state()) {
      writes = tiles_of({writes, buckets_.tiles(tensor, group)});
    }
    program.add(
        {.name = table.all()[first.parameter].op_name("update", group.begin),
         .phase = Phase::kUpdate,
         .reads = tiles_of({buckets_.tiles(parts_.dweights, group), parts_.update.reads()}),
         .writes = std::move(writes),
         .run =
             [this, group, parameter = first.parameter](std::byte*) {
               for (int64_t u = group.begin; u < group.end; ++u) {
                 parts_.update.update(parameter, buckets_.units()[size_t(u)].elements);
               }
             },
         .moved_bytes = moved_bytes(elements_of(group), 1, 1 + parts_.update.state().size())});
  }
}

double Distribution::moment_share() const {
  int64_t mine = 0;
  for (size_t b = 0; b < buckets_.all().size(); ++b) {
    const Range units = my_units(b);
    for (int64_t u = units.begin; u < units.end; ++u) {
      mine += buckets_.units()[size_t(u)].elements.size();
    }
  }
  return double(mine) / double(parts_.weights.values().data.size());
}

std::vector<Distribution::Keepers> Distribution::keepers_of(Range elements) const {
  std::vector<Keepers> keepers;
  for (const Bucket& bucket : buckets_.all()) {
    const auto inside = [&](int64_t at) { return std::clamp(at, elements.begin, elements.end); };
    const int64_t begin = inside(bucket.elements.begin);
    if (inside(bucket.elements.end) == begin) continue;
    std::vector<int64_t> counts;
    int64_t at = bucket.elements.begin;
    for (int64_t share : strategy_->shares(buckets_, bucket)) {
      counts.push_back(inside(at + share) - inside(at));
      at += share;
    }
    keepers.push_back({begin, std::move(counts)});
  }
  return keepers;
}

}  // namespace weft
