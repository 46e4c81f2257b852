#include "exec/executor.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <omp.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "exec/fork_join.h"
#include "exec/omp_tasks.h"
#include "exec/sequential.h"
#include "exec/tasks.h"

namespace weft {
namespace {

using Factory = std::unique_ptr<Executor> (*)(int threads);

template <typename T>
std::unique_ptr<Executor> create(int threads) {
  return std::make_unique<T>(threads);
}

// The table of executors: each type appears once in this list.
template <typename... T>
struct Table {
  static constexpr std::array kTraits = {T::kTraits...};
  static constexpr std::array<Factory, sizeof...(T)> kFactories = {create<T>...};
};
using Executors = Table<SequentialExecutor, ForkJoinExecutor, TasksExecutor, OmpTasksExecutor>;

size_t index_of(std::string_view name) {
  const auto is_it = [&](const ExecutorTraits& traits) { return traits.name == name; };
  return size_t(std::ranges::find_if(Executors::kTraits, is_it) - Executors::kTraits.begin());
}

// "a, b or c"
std::string alternatives(const std::vector<std::string>& names) {
  return fmt::format("{} or {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
}

}  // namespace

std::span<const ExecutorTraits> executors() { return Executors::kTraits; }

std::vector<std::string> executor_names() {
  std::vector<std::string> names;
  for (const ExecutorTraits& traits : executors()) names.emplace_back(traits.name);
  return names;
}

std::vector<std::string> simulated_executor_names() {
  std::vector<std::string> names;
  for (const ExecutorTraits& traits : executors()) {
    if (traits.is_simulated) names.emplace_back(traits.name);
  }
  return names;
}

const ExecutorTraits& executor_traits(const std::string& name) {
  const size_t index = index_of(name);
  require(index < executors().size(), "the executor is in the table");
  return executors()[index];
}

std::unique_ptr<Executor> make_executor(const std::string& name, int threads) {
  if (threads < 1) throw input_error("exec", fmt::format("--threads {} is not positive", threads));
  const size_t index = index_of(name);
  if (index == executors().size()) {
    throw input_error("exec", fmt::format("unknown executor '{}'", name),
                      "use " + alternatives(executor_names()));
  }
  return Executors::kFactories[index](threads);
}

std::unique_ptr<Executor> make_executor(const ExecutorSettings& settings) {
  const int threads = settings.threads > 0 ? int(settings.threads) : available_cpus();
  return make_executor(settings.name, threads);
}

// The mask of the calling thread would be too small: OMP_PROC_BIND and OMP_PLACES make OpenMP bind
// the first thread to a part of the process's CPUs before main begins.
int available_cpus() { return omp_get_num_procs(); }

std::string openmp_runtime() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&omp_in_parallel), &info) == 0) return "unknown";
  return std::string_view(info.dli_fname).find("libgomp") != std::string_view::npos ? "libgomp"
                                                                                    : "libomp";
}

}  // namespace weft
