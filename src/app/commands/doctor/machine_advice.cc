#include "app/commands/doctor/machine_advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "app/cli/format.h"

namespace weft {
namespace {

constexpr uint64_t kLittleMemory = 2'000'000'000;

// Collects advice about one machine, one method per topic.
class Advisor {
 public:
  Advisor(const MachineFacts& facts, int threads) : facts_(facts), threads_(threads) {}

  std::vector<Advice> advise() {
    advise_on_affinity();
    advise_on_thread_count();
    advise_on_openmp();
    advise_on_other_processes();
    advise_on_machine();
    return std::move(advice_);
  }

 private:
  void add(std::string what, std::string hint) {
    advice_.push_back({std::move(what), std::move(hint)});
  }

  // 0 if no launcher started this process.
  int ranks_here() const { return std::max(0, facts_.launched().ranks_here.value_or(0)); }

  // The number of CPUs of this machine that each rank could have for itself.
  int share() const { return std::max(1, facts_.cpus / std::max(1, ranks_here())); }
  bool has_its_share() const { return facts_.usable_cpus >= share(); }

  // Open MPI binds one or two ranks to one core each, which all threads of a rank then share. srun
  // does the same unless it is told how many CPUs a rank gets.
  void advise_on_affinity() {
    if (has_its_share()) return;
    const std::string usable = fmt::format("{} of {} CPUs", facts_.usable_cpus, facts_.cpus);
    const int ranks = ranks_here();
    if (ranks == 0) {
      add(fmt::format("weft may use {}: the affinity mask keeps it from the others", usable),
          "look at taskset, the CPUs that the batch job asked for, or the container's cpuset");
      return;
    }
    add(fmt::format("{} {} here, and all threads of this one are bound to {}", ranks,
                    ranks == 1 ? "rank runs" : "ranks run", usable),
        fmt::format("mpirun --map-by slot:PE={0} --bind-to core, or srun --cpus-per-task={0} "
                    "--cpu-bind=cores",
                    std::max(1, facts_.cores / ranks)));
  }

  std::string threads() const {
    return fmt::format("{} {}", threads_, threads_ == 1 ? "thread" : "threads");
  }

  void advise_on_thread_count() {
    const int ranks = std::max(1, ranks_here());
    if (int64_t{threads_} * ranks > facts_.cpus && ranks > 1) {
      add(fmt::format("{} ranks of {} each share {} CPUs", ranks, threads(), facts_.cpus),
          ranks > facts_.cpus ? "start fewer ranks" : fmt::format("--threads {}", share()));
    } else if (threads_ > facts_.usable_cpus && (ranks_here() == 0 || has_its_share())) {
      // Where a rank has less than its share, the advice is to bind it to more CPUs.
      add(fmt::format("{} share {} CPUs", threads(), facts_.usable_cpus),
          fmt::format("--threads {}", facts_.usable_cpus));
    }
    if (facts_.cpu_quota && *facts_.cpu_quota < threads_) {
      add(fmt::format("a cgroup allows {:.1f} CPUs' worth of time, and {} would use more: they are "
                      "stopped in every period",
                      *facts_.cpu_quota, threads()),
          fmt::format("--threads {}, or raise the limit of the container or job",
                      std::max(1, static_cast<int>(*facts_.cpu_quota))));
    }
  }

  // Returns the value in lower case; "" if it is not set.
  std::string variable(const std::string& name) const {
    const auto found = facts_.environment.find(name);
    std::string value = found == facts_.environment.end() ? "" : found->second;
    std::ranges::transform(value, value.begin(), [](unsigned char c) { return std::tolower(c); });
    return value;
  }

  void advise_on_openmp() {
    const auto wanted = facts_.number_of("OMP_NUM_THREADS");
    if (wanted && *wanted != threads_) {
      add(fmt::format("OMP_NUM_THREADS={} has no effect: weft uses {}", *wanted, threads()),
          fmt::format("--threads {}", *wanted));
    }
    const auto limit = facts_.number_of("OMP_THREAD_LIMIT");
    if (limit && *limit < threads_) {
      add(fmt::format("OMP_THREAD_LIMIT={} allows fewer than {} threads", *limit, threads_),
          "unset it");
    }
    if (variable("OMP_DYNAMIC") == "true") {
      add("OMP_DYNAMIC=true lets OpenMP use fewer threads than weft asks for", "unset it");
    }
    const std::string bind = variable("OMP_PROC_BIND");
    if (threads_ > 1 && (bind == "master" || bind == "primary")) {
      add(fmt::format("OMP_PROC_BIND={} keeps all threads in one place", bind),
          "use close or spread");
    }
    advise_on_places();
  }

  // Counts the places of a list such as "{0,1},{2,3}". "{0}:4" and names such as "cores" stand for
  // as many as needed.
  void advise_on_places() {
    const std::string places = variable("OMP_PLACES");
    const auto listed = std::ranges::count(places, '{');
    if (listed == 0 || places.find("}:") != places.npos || listed >= threads_) return;
    add(fmt::format("OMP_PLACES has {} places for {} threads", listed, threads_),
        "use OMP_PLACES=cores or threads");
  }

  void advise_on_other_processes() {
    const double idle = std::max(0., facts_.cpus - facts_.load);
    if (idle >= threads_ - 0.5) return;
    add(fmt::format(
            "other processes kept CPUs busy in the last minute: a load of {:.1f} on {} CPUs",
            facts_.load, facts_.cpus),
        "stop them, or use fewer --threads: a step is as slow as its slowest thread");
  }

  void advise_on_machine() {
    if (facts_.is_x86 && !facts_.has("AVX2")) {
      add("the CPU has no AVX2: matrix products take the slow path", "use a CPU made after 2013");
    }
    if (!facts_.has_bf16()) {
      add("the CPU has no bf16 arithmetic: bf16 would be no faster than fp32", "stay with fp32");
    }
    if (facts_.governor == "powersave") {
      add("the clock's governor is powersave", "cpupower frequency-set --governor performance");
    }
    if (facts_.huge_pages == "never") {
      add("transparent huge pages are off: large arrays cost more time for address translation",
          "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
    }
    if (facts_.available_bytes < kLittleMemory) {
      add(fmt::format("only {} of memory are available", format_bytes(facts_.available_bytes)),
          "stop other programs, or use a small model and batch");
    }
  }

  const MachineFacts& facts_;
  int threads_;
  std::vector<Advice> advice_;
};

}  // namespace

std::vector<Advice> advise(const MachineFacts& facts, int threads) {
  return Advisor(facts, threads).advise();
}

}  // namespace weft
