#include "exec/tasks.h"

#include <omp.h>

#include <atomic>

#include "base/poll_backoff.h"
#include "exec/op_runner.h"
#include "exec/ready_queue.h"
#include "exec/task_graph.h"
#include "exec/waiting_ops.h"

namespace weft {
namespace {

// The order in which ready ops are taken: communication first, because others wait for it and it
// costs this rank nothing to have begun; then list order, which is the order of the critical path.
std::vector<uint32_t> ranks_of(const Program& program) {
  std::vector<uint32_t> ranks(program.ops().size());
  uint32_t next = 0;
  for (const bool communication : {true, false}) {
    for (size_t op = 0; op < ranks.size(); ++op) {
      if ((program.ops()[op].phase == Phase::kCommunication) == communication) ranks[op] = next++;
    }
  }
  return ranks;
}

class TasksProgram : public PreparedProgram {
 public:
  TasksProgram(const Program& program, int threads)
      : threads_(threads), graph_(program), queue_(ranks_of(program)), runner_(program, threads) {}

  void run(Observer* observer) override {
    if (graph_.ops() == 0) return;
    runner_.begin(observer);
    graph_.reset();
    left_.store(graph_.ops(), std::memory_order_relaxed);
    queue_.open();
    queue_.push(graph_.roots());
#pragma omp parallel num_threads(threads_)
    work(omp_get_thread_num());
    runner_.rethrow_failure();
  }

 private:
  void work(int worker) {
    std::vector<uint32_t> ready;
    Patience patience;
    while (!queue_.is_closed()) {
      poll(worker, ready);
      if (const std::optional<size_t> op = next_op(patience)) {
        patience.reset();
        if (runner_.run(*op, worker)) {
          end(*op, ready);
        } else {
          waiting_.add(*op);
          queue_.wake();
        }
      }
    }
  }

  // Sleeps where there is nothing to do. While an op waits for a message somebody has to ask for
  // it: then whoever is idle asks now and then.
  std::optional<size_t> next_op(Patience& patience) {
    if (!waiting_.any()) return queue_.wait_and_pop([&] { return waiting_.any(); });
    const std::optional<size_t> op = queue_.pop();
    return op ? op : queue_.pop_within(patience.nap());
  }

  void poll(int worker, std::vector<uint32_t>& ready) {
    waiting_.poll(worker, [&](size_t op) { end(op, ready); });
  }

  // `ready` is memory for a list, the worker's own.
  void end(size_t op, std::vector<uint32_t>& ready) {
    ready.clear();
    graph_.end(op, [&](uint32_t next) { ready.push_back(next); });
    queue_.push(ready);
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) queue_.close();
  }

  int threads_;
  TaskGraph graph_;
  ReadyQueue queue_;
  OpRunner runner_;
  WaitingOps waiting_{runner_};
  std::atomic<size_t> left_{0};
};

}  // namespace

std::unique_ptr<PreparedProgram> TasksExecutor::prepare(const Program& program) const {
  return std::make_unique<TasksProgram>(program, threads_);
}

}  // namespace weft
