#include "exec/fork_join.h"

#include <omp.h>

#include "base/poll_backoff.h"
#include "exec/op_runner.h"
#include "exec/waiting_ops.h"

namespace weft {
namespace {

class ForkJoinProgram : public PreparedProgram {
 public:
  ForkJoinProgram(const Program& program, int threads)
      : threads_(threads), begins_(independent_runs(program)), runner_(program, threads) {}

  void run(Observer* observer) override {
    runner_.begin(observer);
    // One team for the whole program: a barrier after each loop is the join.
#pragma omp parallel num_threads(threads_)
    for (size_t i = 0; i + 1 < begins_.size(); ++i) {
#pragma omp for schedule(dynamic, 1) nowait
      for (size_t op = begins_[i]; op < begins_[i + 1]; ++op) run_op(op, omp_get_thread_num());
      // A worker that leaves one waiting stays here until it has ended, so none crosses the
      // barrier.
      Patience patience;
      while (waiting_.any()) {
        patience.wait();
        poll(omp_get_thread_num());
      }
#pragma omp barrier
    }
    runner_.rethrow_failure();
  }

 private:
  void run_op(size_t op, int worker) {
    if (!runner_.run(op, worker)) waiting_.add(op);
    poll(worker);
  }
  void poll(int worker) {
    waiting_.poll(worker, [](size_t) {});
  }

  int threads_;
  std::vector<size_t> begins_;
  OpRunner runner_;
  WaitingOps waiting_{runner_};
};

}  // namespace

std::unique_ptr<PreparedProgram> ForkJoinExecutor::prepare(const Program& program) const {
  return std::make_unique<ForkJoinProgram>(program, threads_);
}

}  // namespace weft
