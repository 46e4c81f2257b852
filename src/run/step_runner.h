// StepRunner: runs the programs of a TrainingStep on an executor: batches in, loss and norm out.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "comm/communicator.h"
#include "data/batches.h"
#include "exec/executor.h"
#include "run/busy_times.h"
#include "run/run_plan.h"
#include "run/train_listener.h"
#include "step/training_step.h"

namespace weft {

struct StepResult {
  double loss = 0.;  // mean over the global batch
  double grad_norm = 0.;
  double seconds = 0.;
  bool stop_requested = false;  // on some rank
};

class StepRunner {
 public:
  // tracer: may be null. REQUIRES: all arguments outlive this; plan.step.communicator is not null.
  StepRunner(TrainingStep& step, const Batches& batches, const RunPlan& plan,
             const Executor& executor, StepTracer* tracer);

  // A collective: runs step t = 1, 2, .. With clipping or several ranks, its update waits for the
  // next step or for finish_update.
  StepResult run(int64_t t, double lr, const std::atomic<int>& stop);

  // Runs the waiting update of step t, if there is one, so that the weights are those after step t.
  void finish_update(int64_t t);
  // The time of finish_update() since the last call, which belongs to no step's time yet.
  double take_update_seconds() { return std::exchange(update_s_, 0.); }

  // Whether updates and transfers may overlap with the next step's computation.
  bool overlaps() const {
    return step_.distribution() == nullptr || step_.distribution()->overlaps();
  }

  // Since the last call; none where nothing is shared with other ranks.
  std::optional<CommunicationReport> take_communication();

 private:
  void prepare(const Program& program);
  void run_program(const Program& program, int64_t t);
  void run_micro_step(int64_t t, int64_t k);
  void agree(std::vector<double> losses, int stop, StepResult& result);

  TrainingStep& step_;
  const Batches& batches_;
  Communicator& communicator_;
  Workers workers_;
  bool reproducible_;
  const Executor& executor_;
  StepTracer* tracer_;
  std::vector<std::pair<const Program*, std::unique_ptr<PreparedProgram>>> prepared_;
  BusyTimes busy_;
  double update_s_ = 0.;
};

}  // namespace weft
