#include "exec/omp_tasks.h"

#include <omp.h>

#include "exec/op_runner.h"

namespace weft {
namespace {

class OmpTasksProgram : public PreparedProgram {
 public:
  OmpTasksProgram(const Program& program, int threads)
      : threads_(threads),
        ops_(program.ops()),
        handles_(program.tiles().size()),
        runner_(program, threads) {}

  void run(Observer* observer) override {
    runner_.begin(observer);
    // One thread creates the tasks in list order and then helps to run them; the barrier that ends
    // the region waits for all tasks. The thread is the calling one (`master`) rather than any
    // (`single`): libgomp 12 often leaks the table of dependences if another thread created it and
    // the next region follows soon.
#pragma omp parallel num_threads(threads_)
#pragma omp master
    for (size_t op = 0; op < ops_.size(); ++op) create_task(op);
    runner_.rethrow_failure();
  }

 private:
  // With one handle per tile, OpenMP's dependence rule is the conflict rule of a program: `inout`
  // waits for earlier `in` and `inout` of the same handle, `in` waits for earlier `inout`.
  //
  // ThreadSanitizer must not see the stores of the arguments: libomp reuses the memory of tasks
  // that have ended, and the sanitizer cannot see the synchronization. The ops themselves are still
  // checked.
  [[gnu::no_sanitize_thread]] void create_task(size_t op) {
    const TileId* reads = ops_[op].reads.data();
    const TileId* writes = ops_[op].writes.data();
    const size_t n_reads = ops_[op].reads.size(), n_writes = ops_[op].writes.size();
    [[maybe_unused]] char* handles = handles_.data();  // g++ 12 does not see the uses below
    OpRunner* runner = &runner_;
// clang-format off
#pragma omp task default(none) firstprivate(op, runner)              \
    depend(iterator(size_t i = 0 : n_reads), in : handles[reads[i]]) \
    depend(iterator(size_t j = 0 : n_writes), inout : handles[writes[j]])
    // clang-format on
    runner->run_to_end(op, omp_get_thread_num());
  }

  int threads_;
  const std::vector<Op>& ops_;
  std::vector<char> handles_;  // never accessed: their addresses stand for the tiles
  OpRunner runner_;
};

}  // namespace

std::unique_ptr<PreparedProgram> OmpTasksExecutor::prepare(const Program& program) const {
  return std::make_unique<OmpTasksProgram>(program, threads_);
}

}  // namespace weft
