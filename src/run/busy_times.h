// BusyTimes: measures how much of the transfers' time workers spent on computation.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "base/intervals.h"
#include "program/observer.h"
#include "program/program.h"

namespace weft {

struct Overlap {
  double all_ms = 0.;     // the time in which at least one transfer was under way
  double hidden_ms = 0.;  // the part of it that workers spent on other ops, divided by the workers
};

// Not thread-safe, except for the calls of executors to the observers.
class BusyTimes {
 public:
  BusyTimes();
  ~BusyTimes();

  // The observer of the next run of the program. It forwards its calls to `other`, unless that is
  // null.
  Observer* watch(const Program& program, Observer* other);

  // Counts the runs since clear(). Transfers are in times of now_ns(), in any order.
  Overlap overlap_with(std::vector<Interval> transfers, int workers) const;
  void clear();

 private:
  class Run;
  std::map<const Program*, std::unique_ptr<Run>> runs_;
};

}  // namespace weft
