// OpCosts: the measured costs of each kind of op and of each executor on one machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "program/program.h"

namespace weft {

// The work of an op, which follows from its shapes.
struct OpWork {
  std::string kind;   // OpName::kind
  double flops = 0.;  // Op::flops
  double bytes = 0.;  // moved_bytes()

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

// The overheads of an executor.
struct SchedulingCost {
  double op_s = 0.;       // per op, on its worker
  double barrier_s = 0.;  // per independent run, under fork-join
  double step_s = 0.;     // time of a whole step, for comparison; 0 if it was not measured
};

// Costs measured with this number of threads, all of them busy.
struct ThreadCosts {
  int threads = 1;
  double peak_flops = 0.;          // of all threads, per second
  double memory_bytes_per_s = 0.;  // of all threads
  std::map<std::string, SchedulingCost> executors;
  std::vector<KindCost> kinds;

  double thread_bytes_per_s() const { return memory_bytes_per_s / threads; }
};

struct OpCosts {
  // The program, machine, model and batch that were measured.
  std::string version, commit, cpu, model, precision;
  int64_t B = 1, T = 1;
  std::vector<ThreadCosts> runs;  // by threads, fewest first

  // The costs for this number of threads, else for the next smaller one, else for the smallest.
  // REQUIRES: there are runs.
  const ThreadCosts& for_cores(int cores) const;
};

// The time of an op: that of the measured op of its kind that is nearest in work, scaled by the
// ratio of their FLOPs or, if they have none, bytes. An op whose kind was not measured moves its
// bytes at a thread's share of the memory bandwidth.
struct OpSeconds {
  double seconds = 0.;
  bool is_measured = false;
};
OpSeconds seconds_of(const OpWork& work, const ThreadCosts& costs);

nlohmann::ordered_json to_json(const OpCosts& costs);

// Reads a file that to_json wrote. Throws Error (kInput) if it is incomplete or a value is wrong.
OpCosts read_op_costs(const std::filesystem::path& path);

}  // namespace weft
