#include "train/trainer.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"
#include "data/batches.h"
#include "formats/model_files.h"
#include "kernels/adamw.h"
#include "train/checkpoint.h"
#include "train/evaluate.h"
#include "train/generator.h"
#include "train/initialize.h"
#include "train/run_files.h"
#include "train/step.h"

namespace weft {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::ordered_json;

constexpr int64_t kRanks = 1;
constexpr int64_t kSampleTokens = 128;
constexpr double kSampleTemperature = 0.8;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int64_t tokens_per_step(const TrainSettings& s) {
  const int64_t micro = s.B * s.T * kRanks;
  const int64_t total = s.total_batch_tokens == 0 ? micro : s.total_batch_tokens;
  if (total < micro || total % micro != 0) {
    throw input_error("train",
                      fmt::format("--total-batch-tokens {} is not a multiple of batch-size x "
                                  "seq-len x ranks = {} x {} x {} = {}",
                                  total, s.B, s.T, kRanks, micro),
                      fmt::format("use {}", round_up(std::max(total, micro), micro)));
  }
  return total;
}

class Run {
 public:
  Run(const TrainSettings& settings, const Dataset& dataset, const Executor& executor,
      TrainListener& listener, StepTracer* tracer, FileSystem& files)
      : settings_(settings),
        dataset_(dataset),
        executor_(executor),
        listener_(listener),
        tracer_(tracer),
        run_files_(
            {settings.out, settings.resume, settings.keep},
            [&listener](const std::string& note) { listener.noted(note); }, files),
        tokens_per_step_(checked_tokens_per_step()),
        batches_(dataset.train, plan()),
        schedule_(schedule()),
        state_(settings.model),
        step_(state_, step_settings()),
        evaluator_(step_.evaluation(), step_.inputs(), step_.targets(), step_.losses(), executor) {
    check_memory(memory_bytes(), settings.recompute_blocks ? kSmallerHint : kRecomputeHint);
    for (int64_t k = 0; k < std::min<int64_t>(micro_steps(), 3); ++k) {
      prepare(step_.program(k == 2 ? micro_steps() - 1 : k));
    }
    prepare(step_.deferred_update());
  }

  TrainOutcome train(const std::atomic<int>& stop) {
    const std::optional<FoundCheckpoint> found = restore_or_initialize();
    run_files_.open(settings_.config_toml, found);
    report_start();
    const Clock::time_point start = Clock::now();
    while (done_.step < schedule_.steps) {
      take_step(start);
      const bool last = done_.step == schedule_.steps, stopping = stop.load() != 0;
      if (last || stopping || pauses()) finish_update();
      if (last || due(settings_.val_every)) validate();
      if (due(settings_.sample_every)) sample();
      if (last || stopping) {
        save();
        run_files_.sync_log();
      } else if (due(settings_.checkpoint_every)) {
        try_to_save();
      }
      if (stopping && !last) return TrainOutcome::kStopped;
    }
    return TrainOutcome::kFinished;
  }

 private:
  // Checks everything that can be wrong with the settings before memory is taken.
  int64_t checked_tokens_per_step() const {
    validate_settings();
    check_lengths(dataset_, settings_.T);
    check_tokens(dataset_.train, settings_.model, settings_.T);
    if (dataset_.val) check_tokens(*dataset_.val, settings_.model, settings_.T);
    // The weights, their gradients and two moments: the least, known before the step is built.
    constexpr int64_t kArrays = 4;
    check_memory(size_t(kArrays * ParameterTable(settings_.model).buffer_size()) * sizeof(float),
                 kSmallerHint);
    return tokens_per_step(settings_);
  }

  void check_memory(size_t bytes, const char* hint) const {
    const std::string warning =
        require_memory(bytes, fmt::format("training {}", to_string(settings_.model)), hint);
    if (!warning.empty()) listener_.noted(warning);
  }

  // No page of it has been touched yet.
  size_t memory_bytes() const { return state_.arena->bytes() + step_.memory_bytes(); }

  void validate_settings() const {
    weft::validate(settings_.model);
    if (settings_.B < 1) throw input_error("train", "--batch-size must be positive");
    if (settings_.T < 1 || settings_.T > settings_.model.T) {
      throw input_error(
          "train", fmt::format("--seq-len {} is not in [1, {}]", settings_.T, settings_.model.T),
          "choose a shorter sequence, or a model with a larger T");
    }
  }

  int64_t micro_steps() const { return tokens_per_step_ / (settings_.B * settings_.T * kRanks); }

  BatchPlan plan() const {
    return {settings_.B, settings_.T, micro_steps(), kRanks, settings_.shuffle, settings_.seed};
  }

  StepSettings step_settings() const {
    return {settings_.B,
            settings_.T,
            micro_steps(),
            kRanks,
            settings_.adamw,
            settings_.gemm,
            settings_.precision,
            settings_.recompute_blocks};
  }

  Schedule schedule() const {
    Schedule schedule = settings_.schedule;
    schedule.steps = settings_.steps;
    if (schedule.steps == 0) {
      const double epoch_tokens = double(dataset_.train.samples(settings_.T) * settings_.T);
      schedule.steps = std::max<int64_t>(
          1, std::llround(settings_.epochs * epoch_tokens / double(tokens_per_step_)));
    }
    return schedule;
  }

  bool due(int64_t every) const { return every > 0 && done_.step % every == 0; }

  void prepare(const Program& program) {
    for (const auto& [known, prepared] : prepared_) {
      if (known == &program) return;
    }
    prepared_.emplace_back(&program, executor_.prepare(program));
  }

  RunState identity() const {
    RunState s;
    s.seed = settings_.seed;
    s.shuffle = settings_.shuffle;
    s.T = settings_.T;
    s.sequences_per_step = tokens_per_step_ / settings_.T;
    s.data_fingerprint = dataset_.train.fingerprint();
    s.schedule =
        fmt::format("kind {} lr {} warmup {} final {} steps {}", int(schedule_.kind), schedule_.lr,
                    schedule_.warmup, schedule_.final_lr_fraction, schedule_.steps);
    const AdamWSettings& a = settings_.adamw;
    s.optimizer = fmt::format("beta1 {} beta2 {} eps {} decay {} clip {}", a.beta1, a.beta2, a.eps,
                              a.weight_decay, a.grad_clip);
    s.batching = fmt::format("B {} micro-steps {}", settings_.B, micro_steps());
    s.precision = precision_name(settings_.precision);
    return s;
  }

  // Returns the checkpoint that the run continues from, if any.
  std::optional<FoundCheckpoint> restore_or_initialize() {
    done_ = identity();
    run_files_.claim();
    std::optional<FoundCheckpoint> found = run_files_.checkpoint_to_resume();
    if (found) {
      resume(*found);
    } else if (!settings_.init.empty()) {
      const NonFiniteWeights broken = read_model_weights(settings_.init, state_.weights);
      if (broken.count > 0) listener_.noted(broken.message());
    } else {
      initialize(state_.weights, settings_.seed, executor_);
    }
    return found;
  }

  void resume(const FoundCheckpoint& found) {
    check_continues(found.state);
    read_checkpoint(found, state_.weights, state_.m, state_.v);
    done_.step = found.state.step;
    done_.tokens = found.state.tokens;
    done_.elapsed_s = found.state.elapsed_s;
    listener_.noted(fmt::format("resumed from {}", found.path.string()));
  }

  // Another order of the data is refused; another course of the run is the user's to choose.
  void check_continues(const RunState& before) {
    const auto refuse = [](const char* what, auto was, auto is) {
      throw input_error("train", fmt::format("--resume: the run had {} {}, now {}", what, was, is),
                        "use the same value, or start another run in another --out");
    };
    if (before.seed != done_.seed) refuse("--seed", before.seed, done_.seed);
    if (before.shuffle != done_.shuffle) refuse("--shuffle", before.shuffle, done_.shuffle);
    if (before.T != done_.T) refuse("--seq-len", before.T, done_.T);
    if (before.sequences_per_step != done_.sequences_per_step) {
      refuse("sequences per step", before.sequences_per_step, done_.sequences_per_step);
    }
    if (before.data_fingerprint != done_.data_fingerprint) {
      refuse("data with fingerprint", fmt::format("{:016x}", before.data_fingerprint),
             fmt::format("{:016x}", done_.data_fingerprint));
    }
    if (before.step > schedule_.steps) {
      throw input_error(
          "train",
          fmt::format("--resume: the run has done {} steps, and is now to end after {}",
                      before.step, schedule_.steps),
          "give more --steps or --epochs, or start another run in another --out");
    }
    const auto note = [&](const char* what, const std::string& was, const std::string& is) {
      if (was == is) return;
      listener_.noted(fmt::format(
          "{} changed from ({}) to ({}): the run continues, but not bit for bit", what, was, is));
    };
    note("schedule", before.schedule, done_.schedule);
    note("optimizer", before.optimizer, done_.optimizer);
    note("batching", before.batching, done_.batching);
    note("precision", before.precision, done_.precision);
  }

  void report_start() {
    RunReport run;
    run.parameters = state_.table->count();
    run.first_step = done_.step + 1;
    run.steps = schedule_.steps;
    run.steps_per_epoch = batches_.steps_per_epoch();
    run.micro_steps = micro_steps();
    run.tokens_per_step = tokens_per_step_;
    run.train_tokens = dataset_.train.tokens();
    run.val_tokens = dataset_.val ? dataset_.val->tokens() : 0;
    run.memory_bytes = memory_bytes();
    ordered_json record = {{"kind", "run"},
                           {"model", to_string(settings_.model)},
                           {"parameters", run.parameters},
                           {"first_step", run.first_step},
                           {"steps", run.steps},
                           {"tokens_per_step", run.tokens_per_step},
                           {"ranks", kRanks},
                           {"threads", executor_.threads()},
                           {"executor", executor_.name()},
                           {"precision", precision_name(settings_.precision)},
                           {"peak_flops", settings_.peak_flops},
                           {"mfu_convention", kMfuConvention}};
    record.update(ordered_json::parse(settings_.run_json));
    run_files_.log(record);
    listener_.started(run);
  }

  void take_step(Clock::time_point start) {
    const int64_t t = done_.step + 1;
    const double lr = schedule_.at(done_.step);
    const Clock::time_point step_start = Clock::now();
    step_.set_step(t, lr);
    for (int64_t k = 0; k < micro_steps(); ++k) {
      batches_.fill(done_.step, k, 0, step_.inputs(), step_.targets());
      run_program(step_.program(k), t);
    }
    stop_if_not_finite(t);
    const double step_s = seconds_since(step_start);
    done_.step = t;
    done_.tokens += tokens_per_step_;

    StepReport report;
    report.step = t;
    report.steps = schedule_.steps;
    report.loss = step_.loss();
    report.lr = lr;
    report.grad_norm = step_.grad_norm();
    report.tokens = done_.tokens;
    report.elapsed_s = done_.elapsed_s + seconds_since(start);
    report.step_ms = 1e3 * step_s;
    report.tokens_per_s = double(tokens_per_step_) / step_s;
    if (settings_.peak_flops > 0.) {
      report.mfu =
          report.tokens_per_s * flops_per_token(*state_.table, settings_.T) / settings_.peak_flops;
    }
    elapsed_s_ = report.elapsed_s;
    log_step(report);
    listener_.stepped(report);
  }

  void log_step(const StepReport& report) {
    run_files_.log({{"kind", "train"},
                    {"step", report.step},
                    {"loss", report.loss},
                    {"lr", report.lr},
                    {"grad_norm", report.grad_norm},
                    {"tokens", report.tokens},
                    {"elapsed_s", report.elapsed_s},
                    {"step_ms", report.step_ms},
                    {"tokens_per_s", report.tokens_per_s},
                    {"mfu", report.mfu}});
  }

  // Whether something reads the weights before the next step.
  bool pauses() const {
    return due(settings_.val_every) || due(settings_.sample_every) ||
           due(settings_.checkpoint_every);
  }

  // With clipping, the update of a step otherwise waits for the next step's program.
  void finish_update() {
    if (step_.begin_deferred_update()) run_program(step_.deferred_update(), done_.step);
  }

  void run_program(const Program& program, int64_t t) {
    Observer* observer = tracer_ != nullptr ? tracer_->program_starts(t, program) : nullptr;
    for (const auto& [known, prepared] : prepared_) {
      if (known == &program) prepared->run(observer);
    }
  }

  void stop_if_not_finite(int64_t t) {
    const double loss = step_.loss(), norm = step_.grad_norm();
    if (std::isfinite(loss) && std::isfinite(norm)) return;
    throw failure("train",
                  fmt::format("step {}: loss {}, gradient norm {}; the weights of this step are "
                              "not saved",
                              t, loss, norm),
                  advice());
  }

  void validate() {
    if (!dataset_.val) return;
    const Evaluation e = evaluator_.run(*dataset_.val, {.B = settings_.B,
                                                        .T = settings_.T,
                                                        .stride = settings_.T,
                                                        .max_batches = settings_.val_steps});
    run_files_.log({{"kind", "val"}, {"step", done_.step}, {"loss", e.loss}});
    listener_.validated(done_.step, e.loss);
  }

  void sample() {
    if (!dataset_.tokenizer) return;
    Generator generator(state_.weights, executor_, settings_.gemm);
    SamplingSettings sampling{.temperature = kSampleTemperature, .seed = settings_.seed};
    sampling.seed += uint64_t(done_.step);
    Utf8Stream stream;
    std::string text;
    const int32_t end = dataset_.tokenizer->end_of_text();
    // A text corpus need not hold the end-of-text token; a new line starts a sample as well.
    const std::vector<Token> newline = dataset_.tokenizer->encode("\n");
    generate(generator, {newline.begin(), newline.end()}, kSampleTokens, sampling,
             [&](int32_t token) {
               // A model may have a larger vocabulary than its tokenizer.
               if (token == end || token >= dataset_.tokenizer->vocabulary_size()) return false;
               text += stream.push(dataset_.tokenizer->decode(Token(token)));
               return true;
             });
    text += stream.finish();
    run_files_.log({{"kind", "sample"}, {"step", done_.step}, {"text", text}});
    listener_.sampled(done_.step, text);
  }

  // The loss and the gradient of a step are those before its update: this looks behind it.
  void refuse_poisoned_weights() const {
    if (std::isfinite(sum_of_squares(state_.weights.data))) return;
    throw failure("train",
                  fmt::format("step {}: the update left weights that are not finite, and they are "
                              "not saved",
                              done_.step),
                  advice());
  }

  // For a run that diverged.
  std::string advice() const {
    const auto good = newest_good_checkpoint(settings_.out, [](const std::string&) {});
    return fmt::format(
        "{}; lower --lr, lengthen --warmup, or check the data",
        good ? "the last good checkpoint is " + good->path.string() : "there is no checkpoint yet");
  }

  RunState state_to_save() const {
    RunState state = done_;
    state.elapsed_s = elapsed_s_;
    return state;
  }

  void save() {
    refuse_poisoned_weights();
    const auto path = run_files_.save(state_to_save(), state_, dataset_.tokenizer.get());
    listener_.saved(done_.step, path);
  }

  void try_to_save() {
    refuse_poisoned_weights();
    const auto path = run_files_.try_to_save(state_to_save(), state_, dataset_.tokenizer.get());
    if (path) listener_.saved(done_.step, *path);
  }

  const TrainSettings& settings_;
  const Dataset& dataset_;
  const Executor& executor_;
  TrainListener& listener_;
  StepTracer* tracer_;
  RunFiles run_files_;
  int64_t tokens_per_step_;
  Batches batches_;
  Schedule schedule_;
  TrainingState state_;
  TrainingStep step_;
  BatchEvaluator evaluator_;
  std::vector<std::pair<const Program*, std::unique_ptr<PreparedProgram>>> prepared_;
  RunState done_;
  double elapsed_s_ = 0.;
};

}  // namespace

TrainOutcome train(const TrainSettings& settings, const Dataset& dataset, const Executor& executor,
                   TrainListener& listener, const std::atomic<int>& stop, StepTracer* tracer,
                   FileSystem& files) {
  return Run(settings, dataset, executor, listener, tracer, files).train(stop);
}

}  // namespace weft
