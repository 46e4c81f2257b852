// Distribution: the ops by which the ranks of a run become one optimizer.
//
//   last micro-step   backward ... [sum of bucket 0] ... backward ... [sum of bucket 1] ... [norm]
//   next step         [update, weights of layer 0] [update, weights of layer 1] forward 0 ...
//
// A sum leaves as soon as the last gradient of its bucket is written, and weights are waited for by
// the layer that reads them. Where a step has fewer tokens than wte has rows, wte's buckets come
// first, without what the lookup adds to them, and that follows as rows at the end (TokenRows).
// Each transfer is an op that begins it and an op that waits for its end and occupies no worker;
// between them its bytes are nobody else's. All that begin one write the `channel` tile, so that
// ranks begin them in one order, whatever their executors do.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "model/gradient_sink.h"
#include "optim/gradient_norm.h"
#include "optim/parameter_update.h"
#include "parallel/buckets.h"
#include "parallel/communication_meter.h"
#include "parallel/strategy.h"
#include "parallel/sum_tree.h"
#include "parallel/token_rows.h"
#include "parallel/workers.h"

namespace weft {

class Distribution {
 public:
  struct Parts {
    Arena& arena;
    TileTable& tiles;
    const Tiling& tiling;
    const TiledParameters &weights, &dweights;
    const GradientNorm& norm;
    const ParameterUpdate& update;
    // What the lookup of the tokens adds to dwte when backward has ended: see TokenRows.
    const Tiled<int32_t>& tokens;
    const Tiled<float>& token_rows;
  };

  // REQUIRES: the parts and the communicator outlive this and the programs.
  Distribution(const DistributionSettings& settings, const Workers& workers,
               Communicator& communicator, const Parts& parts);
  Distribution(const Distribution&) = delete;
  Distribution& operator=(const Distribution&) = delete;

  bool overlaps() const { return settings_.overlap; }
  bool is_reproducible() const { return settings_.reproducible; }
  bool works() const { return terms_.works(communicator_.rank()); }
  CommunicationMeter& meter() { return meter_; }

  // As the sink of the last micro-step's backward: begins sums as their gradients are complete.
  std::unique_ptr<GradientSink> sink(Program& program) const;
  // Whether the backward pass of a micro-step leaves the rows of its tokens alone.
  bool takes_token_rows(bool last) const { return token_rows_ && (last || is_reproducible()); }
  // All sums from the first on, after everything else, for a program without a backward pass.
  void append_sums(Program& program) const;

  // The rest of the sums, and the norm of their result.
  void append_norm(Program& program) const;

  // With `reproducible`, after each micro-step but the last: what becomes of its gradients. Null if
  // nothing does, because they are added up as they come.
  const Program* accumulation(int64_t micro_step) const;

  // Updates of the buckets that `layer` is the first to read, and what sends them; first_reader
  // says so of a parameter's index.
  using FirstReader = std::function<int64_t(size_t parameter)>;
  void append_updates(Program& program, int64_t layer, const FirstReader& first_reader) const;
  // Their weights are there.
  void append_arrivals(Program& program, int64_t layer, const FirstReader& first_reader) const;

  bool everyone_keeps_moments() const { return strategy_->everyone_updates(); }
  // Moments that this rank keeps, of all.
  double moment_share() const;
  // Who keeps the moments of these elements: runs of them, and in each how many are which rank's,
  // side by side. REQUIRES: not everyone keeps all.
  struct Keepers {
    int64_t begin;
    std::vector<int64_t> counts;  // by rank
  };
  std::vector<Keepers> keepers_of(Range elements) const;

 private:
  // The transfers of one bucket in progress.
  using Flights = std::vector<Request>;
  class Sink;

  void add_start(Program& program, const OpName& name, std::vector<TileId> reads,
                 std::vector<TileId> writes, Flights& flights,
                 std::function<void(Flights&)> begin) const;
  void add_finish(Program& program, const OpName& name, std::vector<TileId> writes,
                  Flights& flights) const;

  void append_sum_start(Program& program, size_t bucket) const;
  void append_sum_finish(Program& program, size_t bucket) const;
  void append_merges(Program& program, size_t bucket) const;
  void append_tree_sum(Program& program, size_t bucket) const;
  void append_spread_sums(Program& program, size_t bucket) const;
  void append_token_rows_start(Program& program) const;
  void append_token_rows_finish(Program& program) const;
  void append_norm_partials(Program& program, size_t bucket) const;
  void append_update(Program& program, Range units) const;
  void begin_partial_sums(size_t bucket, Flights& flights) const;
  void build_accumulations();

  int64_t reader_of(size_t bucket, const FirstReader& first_reader) const;
  Range my_share(size_t bucket) const;  // elements
  Range elements_of(Range units) const;
  Range my_units(size_t bucket) const;  // that this rank updates
  Vector<float> elements(const TiledParameters& of, Range range) const {
    return of.values().data.subspan(size_t(range.begin), size_t(range.size()));
  }
  bool lacks_token_rows(size_t bucket) const;  // when its sum is there
  OpName name_of(size_t bucket, const char* kind, int64_t group = OpName::kNone) const;

  DistributionSettings settings_;
  Communicator& communicator_;
  Parts parts_;
  // What a rank adds to a sum: with `reproducible` each of its micro-batches, else all as one.
  Workers terms_;
  std::optional<TokenRows> token_rows_;  // where they are apart
  Buckets buckets_;
  std::unique_ptr<Strategy> strategy_;
  bool exchanges_;  // terms of sums, which are added up here; else the library adds
  SumTree tree_;
  Tiled<double> partials_;  // (1, units) of the squared norm
  Tiled<int32_t> channel_;  // (1, 1) no memory that matters: the order of transfers

  // Exchanged sums: partial ones of this rank that wait to be added up, and what came from others.
  std::vector<TiledParameters> waiting_sums_;
  static constexpr size_t kReceiveBuffers = 4;  // as many buckets are on their way at a time
  std::array<Tiled<float>, kReceiveBuffers> received_;
  std::vector<std::vector<Range>> nodes_;  // of the tree, by rank
  std::vector<std::unique_ptr<Program>> accumulations_;

  mutable std::vector<Flights> sums_, spread_sums_, spread_weights_;  // by bucket
  mutable Flights token_rows_flight_, norm_flight_;
  mutable CommunicationMeter meter_;
};

}  // namespace weft
