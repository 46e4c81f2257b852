// OpCosts: what each kind of op and each execution model cost on a machine, to predict others with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "program/program.h"

namespace weft {

// What an op has to do, as far as its shapes say.
struct OpWork {
  std::string kind;   // OpName::kind
  double flops = 0.;  // of a matrix product or attention; 0 for others
  double bytes = 0.;  // read, and twice those written: what is written has to be there first

  bool operator==(const OpWork&) const = default;
};

// The work of each op of a program, in list order.
std::vector<OpWork> work_of(const Program& program);

// The ops of a kind that have the same work.
struct KindCost {
  OpWork work;
  int64_t ops = 0;
  double seconds = 0.;  // of one op, on average
};

// What an execution model adds.
struct SchedulingCost {
  double op_s = 0.;       // to an op, on its worker
  double barrier_s = 0.;  // to a run of fork-join
  double step_s = 0.;     // a step under it, for comparison; 0 where it was not timed
};

// Measured with all of some threads busy.
struct ThreadCosts {
  int threads = 1;
  double peak_flops = 0.;          // of all threads, per second
  double memory_bytes_per_s = 0.;  // of all threads
  std::map<std::string, SchedulingCost> executors;
  std::vector<KindCost> kinds;

  double thread_bytes_per_s() const { return memory_bytes_per_s / threads; }
};

struct OpCosts {
  // What was measured where.
  std::string version, commit, cpu, model, precision;
  int64_t B = 1, T = 1;
  std::vector<ThreadCosts> runs;  // by threads, fewest first

  // Measured with as many threads, or the next fewer, or the fewest. REQUIRES: there are runs.
  const ThreadCosts& for_cores(int cores) const;
};

// Seconds of an op. The measured op of its kind that is nearest in work, in proportion to the work:
// FLOPs where they are known, else bytes. A kind that was not measured moves its bytes at a
// thread's share of the memory bandwidth; `is_measured` says so.
struct OpSeconds {
  double seconds = 0.;
  bool is_measured = false;
};
OpSeconds seconds_of(const OpWork& work, const ThreadCosts& costs);

nlohmann::ordered_json to_json(const OpCosts& costs);

// Reads what to_json wrote. Throws Error (kInput) where the file is not whole or not in order.
OpCosts read_op_costs(const std::filesystem::path& path);

}  // namespace weft
