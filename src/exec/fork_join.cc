#include "exec/fork_join.h"

#include <omp.h>

#include "exec/op_runner.h"

namespace weft {
namespace {

class ForkJoinProgram : public PreparedProgram {
 public:
  ForkJoinProgram(const Program& program, int threads)
      : threads_(threads), begins_(independent_runs(program)), runner_(program, threads) {}

  void run(Observer* observer) override {
    runner_.begin(observer);
    // One team for the whole program: the implicit barrier of each loop is the join.
#pragma omp parallel num_threads(threads_)
    for (size_t i = 0; i + 1 < begins_.size(); ++i) {
#pragma omp for schedule(dynamic, 1)
      for (size_t op = begins_[i]; op < begins_[i + 1]; ++op) {
        runner_.run(op, omp_get_thread_num());
      }
    }
    runner_.rethrow_failure();
  }

 private:
  int threads_;
  std::vector<size_t> begins_;
  OpRunner runner_;
};

}  // namespace

std::unique_ptr<PreparedProgram> ForkJoinExecutor::prepare(const Program& program) const {
  return std::make_unique<ForkJoinProgram>(program, threads_);
}

}  // namespace weft
