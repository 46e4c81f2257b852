#include "exec/tasks.h"

#include <omp.h>

#include <atomic>

#include "base/poll_backoff.h"
#include "exec/op_runner.h"
#include "exec/pending_ops.h"
#include "exec/ready_queue.h"
#include "exec/task_graph.h"

namespace weft {
namespace {

// The order in which workers take ready ops: communication first, because other ranks wait for it
// and beginning it costs next to nothing; then list order, the order of the critical path.
std::vector<uint32_t> priorities_of(const Program& program) {
  std::vector<uint32_t> priorities(program.ops().size());
  uint32_t next = 0;
  for (const bool communication : {true, false}) {
    for (size_t op = 0; op < priorities.size(); ++op) {
      if ((program.ops()[op].phase == Phase::kCommunication) == communication)
        priorities[op] = next++;
    }
  }
  return priorities;
}

class TasksProgram : public PreparedProgram {
 public:
  TasksProgram(const Program& program, int threads)
      : threads_(threads),
        graph_(program),
        queue_(priorities_of(program)),
        runner_(program, threads) {}

  void run(Observer* observer) override {
    if (graph_.ops() == 0) return;
    runner_.begin(observer);
    graph_.reset();
    unfinished_.store(graph_.ops(), std::memory_order_relaxed);
    queue_.open();
    queue_.push(graph_.roots());
#pragma omp parallel num_threads(threads_)
    work(omp_get_thread_num());
    runner_.rethrow_failure();
  }

 private:
  void work(int worker) {
    std::vector<uint32_t> ready;
    PollBackoff backoff;
    while (!queue_.is_closed()) {
      poll(worker, ready);
      if (const std::optional<size_t> op = next_op(backoff)) {
        backoff.reset();
        if (runner_.run(*op, worker)) {
          end(*op, ready);
        } else {
          pending_.add(*op);
          queue_.wake();
        }
      }
    }
  }

  // Sleeps if no op is ready. While ops are pending, idle workers must poll them, so they only nap.
  std::optional<size_t> next_op(PollBackoff& backoff) {
    if (!pending_.any()) return queue_.wait_and_pop([&] { return pending_.any(); });
    const std::optional<size_t> op = queue_.pop();
    return op ? op : queue_.pop_within(backoff.nap());
  }

  void poll(int worker, std::vector<uint32_t>& ready) {
    pending_.poll(worker, [&](size_t op) { end(op, ready); });
  }

  // `ready` is the worker's own list, passed in to reuse its memory.
  void end(size_t op, std::vector<uint32_t>& ready) {
    ready.clear();
    graph_.end(op, [&](uint32_t next) { ready.push_back(next); });
    queue_.push(ready);
    if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) queue_.close();
  }

  int threads_;
  TaskGraph graph_;
  ReadyQueue queue_;
  OpRunner runner_;
  PendingOps pending_{runner_};
  std::atomic<size_t> unfinished_{0};  // ops of the present run
};

}  // namespace

std::unique_ptr<PreparedProgram> TasksExecutor::prepare(const Program& program) const {
  return std::make_unique<TasksProgram>(program, threads_);
}

}  // namespace weft
