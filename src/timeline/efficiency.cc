#include "timeline/efficiency.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "timeline/ideal_replay.h"

namespace weft {
namespace {

// 0 if `all` is 0.
double share(double part, double all) { return all > 0. ? part / all : 0.; }

struct Spread {
  double average = 0., most = 0.;
};

// The spread of the workers' useful times.
Spread useful(const Activity& activity) {
  return {share(activity.useful_sum_s(), double(activity.workers())), activity.most_useful_s()};
}

// The spread of the ranks' computing times.
Spread computing(const Activity& activity) {
  const std::vector<double>& s = activity.computing_s;
  return {share(std::accumulate(s.begin(), s.end(), 0.), double(s.size())),
          *std::ranges::max_element(s)};
}

// The mean over workers of their ranks' computing times.
double computing_per_worker(const Activity& activity) {
  double sum = 0.;
  for (size_t rank = 0; rank < activity.computing_s.size(); ++rank) {
    sum += activity.computing_s[rank] * double(activity.useful_s[rank].size());
  }
  return share(sum, double(activity.workers()));
}

void require_time(const Activity& activity) {
  require(activity.run_s > 0. && !activity.computing_s.empty(), "an efficiency is of some time");
}

MultiplicativeModel::Level level(const Spread& spread, double run_s) {
  return {share(spread.average, run_s), share(spread.average, spread.most),
          share(spread.most, run_s)};
}

}  // namespace

PopMetrics pop_metrics(const Activity& activity, double ideal_run_s) {
  require_time(activity);
  const Spread u = useful(activity);
  return {.parallel = share(u.average, activity.run_s),
          .load_balance = share(u.average, u.most),
          .communication = share(u.most, activity.run_s),
          .serialization = share(u.most, ideal_run_s),
          .transfer = share(ideal_run_s, activity.run_s)};
}

MultiplicativeModel multiplicative_model(const Activity& activity) {
  require_time(activity);
  MultiplicativeModel model{.hybrid = level(useful(activity), activity.run_s),
                            .process = level(computing(activity), activity.run_s),
                            .thread = {}};
  const MultiplicativeModel::Level &both = model.hybrid, &process = model.process;
  model.thread = {share(both.parallel, process.parallel),
                  share(both.load_balance, process.load_balance),
                  share(both.communication, process.communication)};
  return model;
}

AdditiveModel additive_model(const Activity& activity) {
  require_time(activity);
  const double R = activity.run_s;
  const double average = computing_per_worker(activity), most = computing(activity).most;
  return {.process = average / R,
          .process_load_balance = 1. - (most - average) / R,
          .process_communication = most / R,
          .thread = 1. - (average - useful(activity).average) / R};
}

Efficiency efficiency(const Timeline& timeline) {
  Efficiency e;
  e.activity = activity(timeline);
  e.ideal_run_s = ideal_run_s(timeline);
  e.pop = pop_metrics(e.activity, e.ideal_run_s);
  e.multiplicative = multiplicative_model(e.activity);
  e.additive = additive_model(e.activity);
  return e;
}

Scalability scalability(const WorkCost& reference, const WorkCost& cost) {
  require(
      reference.useful_s > 0. && reference.amount > 0. && cost.useful_s > 0. && cost.amount > 0.,
      "a scalability is of some work");
  const double growth = cost.amount / reference.amount;
  Scalability s{.computation = growth * reference.useful_s / cost.useful_s, .parts = {}};
  if (reference.counts && cost.counts) {
    const HardwareCounts &r = *reference.counts, &c = *cost.counts;
    s.parts = {.instructions = growth * r.instructions / c.instructions,
               .ipc = c.ipc() / r.ipc(),
               .frequency = (c.cycles / cost.useful_s) / (r.cycles / reference.useful_s)};
  }
  return s;
}

}  // namespace weft
