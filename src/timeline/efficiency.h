// Efficiency: the share of the workers' time that was useful, and where the rest was lost, in the
// terms of the POP centre of excellence (docs/metrics.md). Shares are from 0 to 1.
#pragma once

#include <optional>

#include "timeline/activity.h"
#include "timeline/timeline.h"

namespace weft {

// Over all workers of all ranks: parallel = load_balance * communication, and communication =
// serialization * transfer.
struct PopMetrics {
  double parallel = 0.;       // avg(U) / R
  double load_balance = 0.;   // avg(U) / max(U)
  double communication = 0.;  // max(U) / R
  double serialization = 0.;  // max(U) / R without transfer times: lost to dependences,
                              // scheduling and late ranks
  double transfer = 0.;       // R without transfer times / R
};

// Ranks and threads, as factors: each of the three of `hybrid` is the product of the same one of
// `process` and `thread`, and parallel = load_balance * communication in all of them.
struct MultiplicativeModel {
  struct Level {
    double parallel = 0., load_balance = 0., communication = 0.;
  };
  Level hybrid;   // avg(U) / R, avg(U) / max(U), max(U) / R
  Level process;  // avg(O) / R, avg(O) / max(O), max(O) / R
  Level thread;   // the quotients of both
};

// Ranks and threads, as losses that add up: process + thread - 1 = avg(U) / R, and process =
// process_load_balance + process_communication - 1. avg is over workers: the O of a rank counts for
// each of its workers.
struct AdditiveModel {
  double process = 0.;                // avg(O) / R
  double process_load_balance = 0.;   // 1 - (max(O) - avg(O)) / R
  double process_communication = 0.;  // max(O) / R
  double thread = 0.;                 // 1 - (avg(O) - avg(U)) / R
};

struct Efficiency {
  Activity activity;
  double ideal_run_s = 0.;  // R without transfer times (ideal_replay.h)
  PopMetrics pop;
  MultiplicativeModel multiplicative;
  AdditiveModel additive;
};

// REQUIRES, here and below: the timeline has a rank, and an op ran.
Efficiency efficiency(const Timeline& timeline);

PopMetrics pop_metrics(const Activity& activity, double ideal_run_s);
MultiplicativeModel multiplicative_model(const Activity& activity);
AdditiveModel additive_model(const Activity& activity);

// Readings of the processor's counters.
struct HardwareCounts {
  double instructions = 0., cycles = 0.;

  double ipc() const { return instructions / cycles; }
};

// The cost of some work, summed over all workers. `amount` may have any unit, such as tokens.
struct WorkCost {
  double useful_s = 0.;
  double amount = 0.;
  std::optional<HardwareCounts> counts = {};
};

struct Scalability {
  // The product of the three is `computation`. Present if both sides have counts.
  struct Parts {
    double instructions = 0.;  // per amount: reference / this
    double ipc = 0.;           // instructions per cycle: this / reference
    double frequency = 0.;     // cycles per useful second: this / reference
  };
  double computation = 0.;  // useful time per amount: reference / this
  std::optional<Parts> parts;
};

// REQUIRES: useful_s and amount of both are positive.
Scalability scalability(const WorkCost& reference, const WorkCost& cost);

}  // namespace weft
