// BusyTimes: when workers had something else to do than to wait for other ranks.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "base/intervals.h"
#include "program/observer.h"
#include "program/program.h"

namespace weft {

struct Overlap {
  double all_ms = 0.;     // in which at least one transfer was under way
  double hidden_ms = 0.;  // of that, what workers spent on other ops, divided by the workers
};

// Watches runs of programs. Not thread-safe but for what executors do with the observers.
class BusyTimes {
 public:
  BusyTimes();
  ~BusyTimes();

  // The observer of the next run of the program, which also tells `other`, if there is one.
  Observer* watch(const Program& program, Observer* other);

  // Of the runs since clear(). Transfers are in times of now_ns(), in any order.
  Overlap overlap_with(std::vector<Interval> transfers, int workers) const;
  void clear();

 private:
  class Run;
  std::map<const Program*, std::unique_ptr<Run>> runs_;
};

}  // namespace weft
