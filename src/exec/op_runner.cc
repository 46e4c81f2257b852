#include "exec/op_runner.h"

#include <utility>

#include "base/poll_backoff.h"

namespace weft {

OpRunner::OpRunner(const Program& program, int workers) : program_(program) {
  for (int worker = 0; worker < workers; ++worker) {
    // A mapping per worker: the worker that uses a page touches it first, and so places it.
    scratch_.push_back(scratch_arena_.allocate_bytes(program.scratch_bytes()));
  }
}

void OpRunner::begin(Observer* observer) { observer_ = observer; }

bool OpRunner::run(size_t index, int worker) noexcept {
  if (failed_.load(std::memory_order_relaxed)) return true;
  if (observer_ != nullptr) observer_->op_started(index, worker);
  const Op& op = program_.ops()[index];
  const bool done = guarded(index, [&] {
    op.run(scratch_[static_cast<size_t>(worker)]);
    return !op.poll;
  });
  return done && report_end(index, worker);
}

bool OpRunner::poll(size_t index, int worker) noexcept {
  const bool is_abandoned = failed_.load(std::memory_order_relaxed);
  const bool done = is_abandoned || guarded(index, program_.ops()[index].poll);
  return done && report_end(index, worker);
}

void OpRunner::run_to_end(size_t index, int worker) noexcept {
  bool done = run(index, worker);
  PollBackoff backoff;
  while (!done) {
    backoff.wait();
    done = poll(index, worker);
  }
}

template <typename Work>
bool OpRunner::guarded(size_t index, const Work& work) noexcept {
  try {
    return work();
  } catch (...) {
    const std::lock_guard lock(failure_mutex_);
    if (!failure_ || index < failed_op_) {
      failed_op_ = index;
      failure_ = std::current_exception();
    }
    failed_.store(true, std::memory_order_relaxed);
    return true;
  }
}

bool OpRunner::report_end(size_t index, int worker) noexcept {
  if (observer_ != nullptr) observer_->op_ended(index, worker);
  return true;
}

void OpRunner::rethrow_failure() {
  if (!failure_) return;
  failed_ = false;
  std::rethrow_exception(std::exchange(failure_, nullptr));
}

}  // namespace weft
