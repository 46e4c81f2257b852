#include "parallel/distribution.h"

#include <utility>

#include "base/math.h"
#include "parallel/tree_sums.h"

namespace weft {
namespace {

Workers terms_of(const DistributionSettings& settings, Workers workers) {
  if (!settings.reproducible) workers.micro_steps = 1;
  return workers;
}

// Token rows are sent apart where they are fewer than wte's rows. In a reproducible run, that
// depends on the step alone, because its micro-batches do not depend on the number of ranks.
std::optional<TokenRows> make_token_rows(const Workers& terms, const Distribution::Parts& parts) {
  const int64_t rows = terms.micro_batches() * parts.token_rows.rows();
  if (rows >= parts.dweights.get(Tensor::wte).rows()) return std::nullopt;
  return TokenRows(parts.arena, parts.tiles, terms, parts.tokens, parts.token_rows);
}

TreeSums::AppendTokenRows append_pack(const std::optional<TokenRows>& token_rows) {
  if (!token_rows) return {};
  return [&rows = *token_rows](Program& program, int64_t micro_batch) {
    rows.append_pack(program, micro_batch);
  };
}

}  // namespace

// Tracks which gradients are complete, and begins the sum of a bucket when all of its are. Each sum
// ends after the next one has begun.
class Distribution::SumSink : public GradientSink {
 public:
  SumSink(Program& program, Distribution& distribution)
      : program_(program),
        distribution_(distribution),
        complete_(distribution.parts_.dweights.values().table->all().size(), false) {}

  Epilogue on_tile(size_t parameter) override {
    incomplete_weights_.push_back(parameter);
    return {};
  }

  bool takes_token_rows() const override { return distribution_.takes_token_rows(true); }

  // The ops of a linear layer's bias gradient are those of its weight's, which is complete as well.
  void on_parameter(size_t parameter) override {
    complete_[parameter] = true;
    for (size_t weight : std::exchange(incomplete_weights_, {})) complete_[weight] = true;
    const std::vector<Bucket>& all = distribution_.buckets_.all();
    for (; next_bucket_ < all.size() && is_complete(all[next_bucket_]); ++next_bucket_) {
      distribution_.append_sum_start(program_, next_bucket_);
      if (next_bucket_ > 0) distribution_.append_sum_finish(program_, next_bucket_ - 1);
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
  Distribution& distribution_;
  std::vector<bool> complete_;  // by parameter
  std::vector<size_t> incomplete_weights_;
  size_t next_bucket_ = 0;
};

Distribution::Distribution(const DistributionSettings& settings, const Workers& workers,
                           Communicator& communicator, const Parts& parts)
    : settings_(settings),
      communicator_(communicator),
      parts_(parts),
      terms_(terms_of(settings, workers)),
      token_rows_(make_token_rows(terms_, parts)),
      buckets_(parts.dweights, int64_t(settings.bucket_mb * double(1 << 20)),
               token_rows_ ? Buckets::Wte::kFirst : Buckets::Wte::kLast,
               parts.update.optimizer().granularity()),
      strategy_(strategy_traits(settings.strategy).make(communicator)),
      shares_(buckets_, strategy_traits(settings.strategy).updaters, communicator),
      transfers_(parts.arena, parts.tiles),
      norm_(parts.arena, parts.tiles,
            {communicator, transfers_, buckets_, shares_, parts.dweights, parts.norm}),
      updates_({communicator, transfers_, *strategy_, buckets_, shares_, parts.weights,
                parts.dweights, parts.update}) {
  const GradientSums::Parts sum_parts{communicator, transfers_,     *strategy_, buckets_,
                                      shares_,      parts.dweights, terms_};
  if (!settings.reproducible && strategy_traits(settings.strategy).library_sums) {
    sums_ = make_library_sums(sum_parts);
  } else {
    sums_ = std::make_unique<TreeSums>(parts.arena, parts.tiles, parts.tiling, sum_parts,
                                       append_pack(token_rows_));
  }
}

// ---- Gradients.

std::unique_ptr<GradientSink> Distribution::sink(Program& program) {
  return std::make_unique<SumSink>(program, *this);
}

void Distribution::append_sums(Program& program) {
  for (size_t b = 0; b < buckets_.all().size(); ++b) {
    append_sum_start(program, b);
    if (b > 0) append_sum_finish(program, b - 1);
  }
}

void Distribution::append_sum_start(Program& program, size_t bucket) {
  sums_->append_start(program, bucket);
}

void Distribution::append_sum_finish(Program& program, size_t bucket) {
  sums_->append_finish(program, bucket);
  if (!lacks_token_rows(bucket)) norm_.append_partials(program, bucket);
}

void Distribution::append_norm(Program& program) {
  append_token_rows_start(program);
  append_sum_finish(program, buckets_.all().size() - 1);
  append_token_rows_finish(program);
  norm_.append_norm(program);
}

// ---- The lookup's part of wte's gradient.

// Whether the sum of the bucket is without the lookup's part.
bool Distribution::lacks_token_rows(size_t bucket) const {
  const size_t wte = parts_.weights.values().table->index(Tensor::wte);
  return token_rows_ &&
         buckets_.units()[size_t(buckets_.all()[bucket].units.begin)].parameter == wte;
}

void Distribution::append_token_rows_start(Program& program) {
  if (!token_rows_) return;
  if (works()) {
    token_rows_->append_pack(program, terms_.micro_batches_of(communicator_.rank()).end - 1);
  }
  token_rows_->append_exchange_start(program, communicator_, transfers_);
}

void Distribution::append_token_rows_finish(Program& program) {
  if (!token_rows_) return;
  const Tiled<float>& slots = token_rows_->slots();
  const Parameter& wte = parts_.weights.values().table->get(Tensor::wte);
  const size_t all_bytes = bytes_moved({0, slots.rows() * slots.cols()}, 1, 1);
  token_rows_->append_exchange_finish(program, transfers_);
  for (size_t b = 0; b < buckets_.all().size(); ++b) {
    if (!lacks_token_rows(b)) continue;
    for (const Range& group : buckets_.groups(shares_.my_units(b))) {
      const Range range = buckets_.elements_of(group);
      const double share = double(range.size()) / double(wte.size());
      const auto run = [this, within = Range{range.begin - wte.offset, range.end - wte.offset},
                        sum = elements(parts_.dweights, range)](std::byte*) {
        token_rows_->add_to(within, sum);
      };
      program.add({.name = bucket_op_name(b, "exchange/rows", group.begin),
                   .phase = Phase::kUpdate,
                   .reads = slots.all(),
                   .writes = buckets_.tiles(parts_.dweights, group),
                   .run = run,
                   // On average, the op adds its share of the elements of all rows.
                   .moved_bytes = size_t(share * double(all_bytes))});
    }
    norm_.append_partials(program, b);
  }
}

}  // namespace weft
