#include "exec/fork_join.h"

#include <omp.h>

#include "base/poll_backoff.h"
#include "exec/op_runner.h"
#include "exec/pending_ops.h"

namespace weft {
namespace {

class ForkJoinProgram : public PreparedProgram {
 public:
  ForkJoinProgram(const Program& program, int threads)
      : threads_(threads), run_begins_(independent_runs(program)), runner_(program, threads) {}

  void run(Observer* observer) override {
    runner_.begin(observer);
    // One team of threads runs the whole program; the barrier after each loop is the join.
#pragma omp parallel num_threads(threads_)
    for (size_t i = 0; i + 1 < run_begins_.size(); ++i) {
#pragma omp for schedule(dynamic, 1) nowait
      for (size_t op = run_begins_[i]; op < run_begins_[i + 1]; ++op)
        run_op(op, omp_get_thread_num());
      // Workers poll here until all ops of the run have ended, so that none crosses the barrier.
      PollBackoff backoff;
      while (pending_.any()) {
        backoff.wait();
        poll(omp_get_thread_num());
      }
#pragma omp barrier
    }
    runner_.rethrow_failure();
  }

 private:
  void run_op(size_t op, int worker) {
    if (!runner_.run(op, worker)) pending_.add(op);
    poll(worker);
  }
  void poll(int worker) {
    pending_.poll(worker, [](size_t) {});
  }

  int threads_;
  std::vector<size_t> run_begins_;
  OpRunner runner_;
  PendingOps pending_{runner_};
};

}  // namespace

std::unique_ptr<PreparedProgram> ForkJoinExecutor::prepare(const Program& program) const {
  return std::make_unique<ForkJoinProgram>(program, threads_);
}

}  // namespace weft
