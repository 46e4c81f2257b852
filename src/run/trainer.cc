#include "run/trainer.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

#include "comm/agreement.h"
#include "comm/single_process.h"
#include "infer/evaluate.h"
#include "model/model_flops.h"
#include "parallel/moment_transport.h"
#include "run/checkpoint_round.h"
#include "run/divergence.h"
#include "run/memory_estimate.h"
#include "run/run_directory.h"
#include "run/run_identity.h"
#include "run/run_plan.h"
#include "run/sample.h"
#include "run/settings_check.h"
#include "run/starting_point.h"
#include "run/step_runner.h"

namespace weft {
namespace {

using Clock = std::chrono::steady_clock;

// One run, on one of its ranks.
class Run {
 public:
  // REQUIRES: settings.step.communicator is not null.
  Run(const TrainSettings& settings, const Dataset& dataset, const Executor& executor,
      TrainListener& listener, StepTracer* tracer, FileSystem& files)
      : settings_(settings),
        dataset_(dataset),
        executor_(executor),
        listener_(listener),
        communicator_(*settings.step.communicator),
        plan_(plan_run(settings, dataset)),
        batches_(dataset.train, plan_.batches),
        state_(settings.model, *settings.step.optimizer,
               plan_.step.is_distributed() ? StateMemory::kSparse : StateMemory::kDense),
        step_(state_, plan_.step),
        evaluator_(step_.evaluation(), step_.inputs(), step_.targets(), step_.losses(), executor),
        moments_(communicator_, step_.distribution(), state_.optimizer_state),
        done_(run_identity(settings, plan_, dataset)) {
    check_memory(run_bytes(state_, step_), settings.model,
                 plan_.step.recompute_blocks ? kSmallerHint : kRecomputeHint, note());
    runner_.emplace(step_, batches_, plan_, executor, tracer);
    if (is_main()) directory_.emplace(settings.output, settings.checkpoints.keep, note(), files);
    checkpoints_.emplace(communicator_, moments_, state_, dataset.tokenizer.get(),
                         directory_ ? &*directory_ : nullptr, listener);
  }

  TrainOutcome train(const std::atomic<int>& stop) {
    begin();
    const Clock::time_point start = Clock::now();
    const double elapsed_before_s = done_.elapsed_s;
    bool stopping = false;
    while (done_.step < plan_.schedule.steps && !stopping) {
      const double lr = plan_.schedule.at(done_.step);
      const StepResult result = take_step(lr, stop);
      done_.elapsed_s =
          elapsed_before_s + std::chrono::duration<double>(Clock::now() - start).count();
      report_step(lr, result);
      // The ranks agreed on `stop` within the step; a rank that is alone can look again.
      stopping = result.stop_requested || (communicator_.size() == 1 && stop.load() != 0);
      finish_step(stopping);
    }
    return done_.step < plan_.schedule.steps ? TrainOutcome::kStopped : TrainOutcome::kFinished;
  }

 private:
  // The rank that writes and reports.
  bool is_main() const { return communicator_.rank() == 0; }
  RunDirectory::Note note() const {
    return [this](const std::string& message) { listener_.noted(message); };
  }

  void begin() {
    std::optional<FoundCheckpoint> found;
    on_all_ranks(communicator_, [&] {
      if (!is_main()) return;
      found = restore_or_initialize(settings_, plan_.schedule.steps, *directory_, executor_, note(),
                                    state_, done_);
    });
    share_starting_point(communicator_, found.has_value(), state_.weights, moments_, done_);
    on_all_ranks(communicator_, [&] {
      if (!is_main()) return;
      directory_->open(found);
      report_start();
    });
  }

  StepResult take_step(double lr, const std::atomic<int>& stop) {
    const int64_t t = done_.step + 1;
    StepResult result = runner_->run(t, lr, stop);
    refuse_diverged_step(t, result.loss, result.grad_norm, settings_.output.directory);
    done_.step = t;
    done_.tokens += plan_.tokens_per_step;
    if (!runner_->overlaps()) runner_->finish_update(t);
    result.seconds += runner_->take_update_seconds();
    return result;
  }

  // What is due after a step. Its update may wait for the next step unless something here reads the
  // weights.
  void finish_step(bool stopping) {
    const auto due = [this](int64_t every) { return is_due(done_.step, every); };
    const bool last = done_.step == plan_.schedule.steps, ends = last || stopping;
    const bool validates = due(settings_.validation.every), samples = due(settings_.samples.every),
               saves = due(settings_.checkpoints.every);
    if (ends || validates || samples || saves) runner_->finish_update(done_.step);
    if (last || validates) validate();
    if (samples && is_main()) sample();
    if (ends || saves) {
      checkpoints_->save(done_, settings_.output.directory, /*required=*/ends);
    }
  }

  void report_start() {
    const RunReport run = {
        .parameters = state_.table->count(),
        .first_step = done_.step + 1,
        .steps = plan_.schedule.steps,
        .steps_per_epoch = batches_.steps_per_epoch(),
        .micro_steps = plan_.step.micro_steps,
        .tokens_per_step = plan_.tokens_per_step,
        .train_tokens = dataset_.train.tokens(),
        .val_tokens = dataset_.val ? dataset_.val->tokens() : 0,
        .memory_bytes = run_bytes(state_, step_),
    };
    directory_->log(run_record(settings_, run, communicator_.size(), executor_));
    listener_.started(run);
  }

  void report_step(double lr, const StepResult& result) {
    StepReport report = {.step = done_.step,
                         .steps = plan_.schedule.steps,
                         .loss = result.loss,
                         .lr = lr,
                         .grad_norm = result.grad_norm,
                         .tokens = done_.tokens,
                         .elapsed_s = done_.elapsed_s,
                         .step_ms = 1e3 * result.seconds,
                         .tokens_per_s = double(plan_.tokens_per_step) / result.seconds,
                         .communication = runner_->take_communication()};
    if (settings_.peak_flops > 0.) {
      report.mfu =
          report.tokens_per_s * flops_per_token(*state_.table, plan_.step.T) / settings_.peak_flops;
    }
    if (!is_main()) return;
    directory_->log(record_of(report));
    listener_.stepped(report);
  }

  void validate() {
    if (!dataset_.val) return;
    const Evaluation e = evaluator_.run(*dataset_.val, {.B = plan_.step.B,
                                                        .T = plan_.step.T,
                                                        .stride = plan_.step.T,
                                                        .max_batches = settings_.validation.batches,
                                                        .communicator = &communicator_});
    if (!is_main()) return;
    directory_->log({{"kind", "val"}, {"step", done_.step}, {"loss", e.loss}});
    listener_.validated(done_.step, e.loss);
  }

  void sample() {
    if (!dataset_.tokenizer) return;
    const uint64_t seed = settings_.batches.seed + uint64_t(done_.step);
    const std::string text =
        write_sample(state_.weights, *dataset_.tokenizer, seed, executor_, plan_.step.gemm);
    directory_->log({{"kind", "sample"}, {"step", done_.step}, {"text", text}});
    listener_.sampled(done_.step, text);
  }

  const TrainSettings& settings_;
  const Dataset& dataset_;
  const Executor& executor_;
  TrainListener& listener_;
  Communicator& communicator_;
  RunPlan plan_;
  Batches batches_;
  TrainingState state_;
  TrainingStep step_;
  BatchEvaluator evaluator_;
  MomentTransport moments_;
  RunState done_;
  std::optional<StepRunner> runner_;
  std::optional<RunDirectory> directory_;  // on rank 0
  std::optional<CheckpointRound> checkpoints_;
};

}  // namespace

TrainOutcome train(const TrainSettings& settings, const Dataset& dataset, const Executor& executor,
                   TrainListener& listener, const std::atomic<int>& stop, StepTracer* tracer,
                   FileSystem& files) {
  SingleProcess alone;
  TrainSettings with_ranks = settings;
  if (settings.step.communicator == nullptr) with_ranks.step.communicator = &alone;
  Communicator& communicator = *with_ranks.step.communicator;
  require_same(communicator, facts_of_run(with_ranks, dataset));
  std::optional<Run> run;
  on_all_ranks(communicator, [&] {
    check_settings(with_ranks, dataset);
    const auto note = [&](const std::string& message) { listener.noted(message); };
    check_memory(TrainingState::bytes(settings.model, *settings.step.optimizer), settings.model,
                 kSmallerHint, note);
    run.emplace(with_ranks, dataset, executor, listener, tracer, files);
  });
  return run->train(stop);
}

}  // namespace weft
