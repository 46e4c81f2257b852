#include "exec/op_runner.h"

#include <utility>

namespace weft {

OpRunner::OpRunner(const Program& program, int workers) : program_(program) {
  for (int worker = 0; worker < workers; ++worker) {
    // One mapping each: pages appear on first touch, by the worker that uses them.
    scratch_.push_back(scratch_arena_.allocate_bytes(program.scratch_bytes()));
  }
}

void OpRunner::begin(Observer* observer) { observer_ = observer; }

void OpRunner::run(size_t index, int worker) noexcept {
  if (failed_.load(std::memory_order_relaxed)) return;
  if (observer_ != nullptr) observer_->op_started(index, worker);
  try {
    program_.ops()[index].run(scratch_[static_cast<size_t>(worker)]);
  } catch (...) {
    const std::lock_guard lock(failure_mutex_);
    if (!failure_ || index < failed_op_) {
      failed_op_ = index;
      failure_ = std::current_exception();
    }
    failed_.store(true, std::memory_order_relaxed);
  }
  if (observer_ != nullptr) observer_->op_ended(index, worker);
}

void OpRunner::rethrow_failure() {
  if (!failure_) return;
  failed_ = false;
  std::rethrow_exception(std::exchange(failure_, nullptr));
}

}  // namespace weft
