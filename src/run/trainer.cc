#include "run/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"
#include "comm/agreement.h"
#include "comm/single_process.h"
#include "data/batches.h"
#include "formats/model_files.h"
#include "infer/evaluate.h"
#include "infer/generator.h"
#include "kernels/adamw.h"
#include "run/busy_times.h"
#include "run/checkpoint.h"
#include "run/initialize.h"
#include "run/run_directory.h"
#include "step/training_step.h"

namespace weft {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::ordered_json;

constexpr int64_t kSampleTokens = 128;
constexpr double kSampleTemperature = 0.8;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int64_t tokens_per_step(const TrainSettings& s, int64_t workers) {
  const int64_t micro = s.B * s.T * workers;
  const int64_t total = s.total_batch_tokens == 0 ? micro : s.total_batch_tokens;
  if (total < micro || total % micro != 0) {
    throw input_error("train",
                      fmt::format("--total-batch-tokens {} is not a multiple of batch-size x "
                                  "seq-len x ranks = {} x {} x {} = {}",
                                  total, s.B, s.T, workers, micro),
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
        communicator_(settings.communicator != nullptr ? *settings.communicator : alone_),
        tokens_per_step_(checked_tokens_per_step()),
        workers_(step_settings().workers()),
        batches_(dataset.train, plan()),
        schedule_(schedule()),
        state_(settings.model, *settings.optimizer,
               step_settings().is_distributed() ? StateMemory::kSparse : StateMemory::kDense),
        step_(state_, step_settings()),
        evaluator_(step_.evaluation(), step_.inputs(), step_.targets(), step_.losses(), executor) {
    check_memory(memory_bytes(), settings.recompute_blocks ? kSmallerHint : kRecomputeHint);
    for (int64_t k = 0; k < step_.micro_steps(); ++k) {
      for (const Program* program : step_.programs(k)) prepare(*program);
    }
    prepare(step_.deferred_update());
    if (is_main()) {
      run_files_.emplace(
          RunFiles::Settings{settings.out, settings.resume, settings.keep, settings.tensorboard},
          [&listener](const std::string& note) { listener.noted(note); }, files);
    }
  }

  // What all ranks must agree on before they exchange anything.
  static Facts facts(const TrainSettings& settings, const Dataset& dataset) {
    Facts facts = settings.facts;
    facts.emplace_back("model", to_string(settings.model));
    facts.emplace_back("the data's fingerprint",
                       fmt::format("{:016x}", dataset.train.fingerprint()));
    const uint64_t val = dataset.val ? dataset.val->fingerprint() : 0;
    facts.emplace_back("the validation data's fingerprint", fmt::format("{:016x}", val));
    return facts;
  }

  TrainOutcome train(const std::atomic<int>& stop) {
    std::optional<FoundCheckpoint> found;
    on_all_ranks(communicator_, [&] { found = restore_or_initialize(); });
    share_start(found.has_value());
    on_all_ranks(communicator_, [&] {
      if (run_files_) run_files_->open(settings_.config_toml, found);
      report_start();
    });
    const Clock::time_point start = Clock::now();
    while (done_.step < schedule_.steps) {
      take_step(start, stop);
      // Ranks agree within the step; one that is alone can look again.
      if (communicator_.size() == 1 && stop.load() != 0) stopping_ = true;
      const bool last = done_.step == schedule_.steps;
      if (last || stopping_ || pauses()) finish_update();
      if (last || due(settings_.val_every)) validate();
      if (due(settings_.sample_every) && is_main()) sample();
      if (last || stopping_ || due(settings_.checkpoint_every)) checkpoint(last || stopping_);
      if (stopping_ && !last) return TrainOutcome::kStopped;
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
    // The least, known before the step is built.
    check_memory(TrainingState::bytes(settings_.model, *settings_.optimizer), kSmallerHint);
    const Workers workers{1, settings_.distribution.dedicated_server ? 1 : 0, communicator_.size()};
    if (workers.count() < 1) {
      throw input_error("train", "--dedicated-server leaves no rank to compute",
                        "start at least two ranks");
    }
    if (workers.first > 0 && settings_.distribution.strategy != "server") {
      throw input_error("train", "--dedicated-server is for --dist server");
    }
    return tokens_per_step(settings_, workers.count());
  }

  // The rank that writes and reports.
  bool is_main() const { return communicator_.rank() == 0; }
  bool overlaps() const {
    return step_.distribution() == nullptr || step_.distribution()->overlaps();
  }

  void check_memory(size_t bytes, const char* hint) const {
    const std::string warning =
        require_memory(bytes, fmt::format("training {}", to_string(settings_.model)), hint);
    if (!warning.empty()) listener_.noted(warning);
  }

  // No page of it has been touched yet.
  size_t memory_bytes() const {
    const size_t all = state_.arena->bytes() + step_.memory_bytes();
    if (step_.distribution() == nullptr) return all;
    const double moments = double(state_.optimizer_state_bytes());
    return all - size_t(moments * (1. - step_.distribution()->moment_share()));
  }

  void validate_settings() const {
    weft::validate(settings_.model);
    if (settings_.B < 1) throw input_error("train", "--batch-size must be positive");
    if (settings_.T < 1 || settings_.T > settings_.model.T) {
      throw input_error(
          "train", fmt::format("--seq-len {} is not in [1, {}]", settings_.T, settings_.model.T),
          "choose a shorter sequence, or a model with a larger T");
    }
  }

  // Of each rank that computes.
  int64_t micro_steps() const {
    const int64_t micro_batches = tokens_per_step_ / (settings_.B * settings_.T);
    return micro_batches /
           (communicator_.size() - (settings_.distribution.dedicated_server ? 1 : 0));
  }

  // All ranks' micro-batches as one run of them: a rank fills those that are its own.
  BatchPlan plan() const {
    return {settings_.B, settings_.T,       workers_.micro_batches(),
            1,           settings_.shuffle, settings_.seed};
  }

  StepSettings step_settings() const {
    return {.B = settings_.B,
            .T = settings_.T,
            .micro_steps = micro_steps(),
            .optimizer = settings_.optimizer,
            .grad_clip = settings_.grad_clip,
            .gemm = settings_.gemm,
            .precision = settings_.precision,
            .recompute_blocks = settings_.recompute_blocks,
            .communicator = &communicator_,
            .distribution = settings_.distribution};
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
    s.optimizer =
        fmt::format("{} clip {}", settings_.optimizer->settings_text(), settings_.grad_clip);
    s.batching = batching();
    s.precision = precision_name(settings_.precision);
    return s;
  }

  // The order in which gradients are added.
  std::string batching() const {
    if (settings_.distribution.reproducible) {
      return fmt::format("B {} micro-batches {} in a tree", settings_.B, workers_.micro_batches());
    }
    std::string text = fmt::format("B {} micro-steps {}", settings_.B, micro_steps());
    if (workers_.count() > 1) text += fmt::format(" on {} ranks", workers_.count());
    return text;
  }

  // Returns the checkpoint that the run continues from, if any. Of several ranks, the first alone
  // looks for one and reads.
  std::optional<FoundCheckpoint> restore_or_initialize() {
    done_ = identity();
    if (!is_main()) return std::nullopt;
    run_files_->claim();
    std::optional<FoundCheckpoint> found = run_files_->checkpoint_to_resume();
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

  // The other ranks begin where the first does.
  void share_start(bool resumed) {
    if (communicator_.size() == 1) return;
    const std::vector<double> mine = {double(done_.step), double(done_.tokens), done_.elapsed_s,
                                      double(resumed)};
    std::vector<double> start = is_main() ? mine : std::vector<double>(mine.size(), 0.);
    communicator_.all_reduce(start, Reduction::kSum);
    done_.step = int64_t(start[0]);
    done_.tokens = int64_t(start[1]);
    done_.elapsed_s = start[2];
    wait_for(communicator_.begin_broadcast(state_.weights.data, 0));
    if (start[3] != 0.) share_moments();
  }

  // From rank 0, which has read all of them, to the ranks that keep them.
  void share_moments() {
    for (const OptimizerTensor& tensor : state_.optimizer_state) {
      const ParameterView& moment = tensor.values;
      if (step_.distribution()->everyone_keeps_moments()) {
        wait_for(communicator_.begin_broadcast(moment.data, 0));
      } else {
        move_moments(moment.data, {0, int64_t(moment.data.size())}, false);
        release_moments(moment.data, {0, int64_t(moment.data.size())});
      }
    }
  }

  bool keeps_all_moments() const {
    return step_.distribution() == nullptr || step_.distribution()->everyone_keeps_moments();
  }

  // The moments of a tensor, "m/block3/qkvw".
  Vector<float> moments_of(const std::string& tensor) const {
    const std::string name = tensor.substr(0, tensor.find('/'));
    return std::ranges::find(state_.optimizer_state, name, &OptimizerTensor::name)->values.data;
  }
  Range elements_of(const std::string& tensor) const {
    const Parameter& p = *std::ranges::find(state_.table->all(),
                                            tensor.substr(tensor.find('/') + 1), &Parameter::name);
    return {p.offset, p.offset + p.size()};
  }

  // On rank 0, while it writes a checkpoint: the moments of one tensor come from the ranks that
  // keep them, and those of the one before, `brought_`, have been written and are given up.
  void bring_moment(const std::string& tensor) {
    communicator_.broadcast(tensor);
    if (!brought_.empty()) release_moments(moments_of(brought_), elements_of(brought_));
    brought_ = tensor;
    if (!tensor.empty()) move_moments(moments_of(tensor), elements_of(tensor), true);
  }
  // On the others: what rank 0 asks for, until it asks for "".
  void send_moments() {
    for (std::string tensor = communicator_.broadcast(""); !tensor.empty();
         tensor = communicator_.broadcast("")) {
      move_moments(moments_of(tensor), elements_of(tensor), true);
    }
  }

  void move_moments(Vector<float> values, Range elements, bool to_main) {
    for (const Distribution::Keepers& keepers : step_.distribution()->keepers_of(elements)) {
      exchange_with_main(values, keepers.begin, keepers.counts, to_main);
    }
  }

  // On rank 0, those that it held for others.
  void release_moments(Vector<float> values, Range elements) const {
    if (!is_main()) return;
    for (const Distribution::Keepers& keepers : step_.distribution()->keepers_of(elements)) {
      const int64_t others = part_begins(keepers.counts).back() - keepers.counts[0];
      Arena::release(values.subspan(size_t(keepers.begin + keepers.counts[0]), size_t(others)));
    }
  }

  // Moves the elements from `offset` on, of which counts[r] are rank r's: to rank 0, or from there.
  void exchange_with_main(Vector<float> values, int64_t offset, const std::vector<int64_t>& counts,
                          bool to_main) {
    const auto rank = size_t(communicator_.rank());
    const std::vector<int64_t> begins = part_begins(counts);
    const Vector<float> all = values.subspan(size_t(offset), size_t(begins.back()));
    const Vector<float> mine = all.subspan(size_t(begins[rank]), size_t(counts[rank]));
    std::vector<int64_t> one(counts.size(), 0);
    one[0] = counts[rank];
    std::vector<int64_t> others = is_main() ? counts : std::vector<int64_t>(counts.size(), 0);
    // What rank 0 has itself is where it belongs: its memory must not be both ends of a transfer.
    const Vector<float> away = is_main() ? all.subspan(size_t(counts[0])) : mine;
    others[0] = 0;
    if (is_main()) one[0] = 0;
    const Vector<float> nothing;
    if (to_main) {
      wait_for(communicator_.begin_exchange(is_main() ? nothing : away, one,
                                            is_main() ? away : nothing, others));
    } else {
      wait_for(communicator_.begin_exchange(is_main() ? away : nothing, others,
                                            is_main() ? nothing : away, one));
    }
  }

  void resume(const FoundCheckpoint& found) {
    check_continues(found.state);
    read_checkpoint(found, state_);
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
                           {"ranks", communicator_.size()},
                           {"threads", executor_.threads()},
                           {"executor", executor_.name()},
                           {"precision", precision_name(settings_.precision)},
                           {"peak_flops", settings_.peak_flops},
                           {"mfu_convention", kMfuConvention}};
    record.update(ordered_json::parse(settings_.run_json));
    if (!run_files_) return;
    run_files_->log(record);
    listener_.started(run);
  }

  void take_step(Clock::time_point start, const std::atomic<int>& stop) {
    const int64_t t = done_.step + 1;
    const double lr = schedule_.at(done_.step);
    const Clock::time_point step_start = Clock::now();
    step_.set_step(t, lr);
    const Range mine = workers_.micro_batches_of(communicator_.rank());
    std::vector<double> losses(size_t(workers_.micro_batches()), 0.);
    for (int64_t k = 0; k < step_.micro_steps(); ++k) {
      if (mine.size() > 0) {
        batches_.fill(done_.step, mine.begin + k, 0, step_.inputs(), step_.targets());
      }
      for (const Program* program : step_.programs(k)) run_program(*program, t);
      // One sum for all micro-steps of a rank, or one for each of them.
      const int64_t place = settings_.distribution.reproducible ? k : 0;
      if (mine.size() > 0) losses[size_t(mine.begin + place)] = step_.loss();
    }
    agree(losses, stop.load());
    stop_if_not_finite(t);
    done_.step = t;
    done_.tokens += tokens_per_step_;
    double step_s = seconds_since(step_start);
    if (!overlaps()) finish_update();
    step_s += std::exchange(late_update_s_, 0.);

    StepReport report;
    report.step = t;
    report.steps = schedule_.steps;
    report.loss = loss_;
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
    report_communication(report);
    elapsed_s_ = report.elapsed_s;
    if (!is_main()) return;
    log_step(report);
    listener_.stepped(report);
  }

  // The step's loss is the sum over all ranks, and the run stops if one of them is to stop. Each
  // number is one rank's and zero elsewhere, so adding up is exact.
  void agree(std::vector<double> losses, int stop) {
    const size_t micro_batches = losses.size();
    losses.resize(micro_batches + size_t(communicator_.size()), 0.);
    losses[micro_batches + size_t(communicator_.rank())] = stop != 0 ? 1. : 0.;
    if (communicator_.size() > 1) communicator_.all_reduce(losses, Reduction::kSum);
    const auto stops = losses.begin() + std::ptrdiff_t(micro_batches);
    loss_ = std::accumulate(losses.begin(), stops, 0.);
    stopping_ = std::any_of(stops, losses.end(), [](double s) { return s != 0.; });
  }

  void report_communication(StepReport& report) {
    if (step_.distribution() == nullptr) return;
    const CommunicationMeter::Record record = step_.distribution()->meter().take();
    const Overlap overlap = busy_.overlap_with(record.transfers, executor_.threads());
    report.bytes_sent = record.bytes_sent;
    report.comm_ms = overlap.all_ms;
    report.hidden_comm_ms = overlap.hidden_ms;
    busy_.clear();
  }

  void log_step(const StepReport& report) {
    ordered_json record = {{"kind", "train"},
                           {"step", report.step},
                           {"loss", report.loss},
                           {"lr", report.lr},
                           {"grad_norm", report.grad_norm},
                           {"tokens", report.tokens},
                           {"elapsed_s", report.elapsed_s},
                           {"step_ms", report.step_ms},
                           {"tokens_per_s", report.tokens_per_s},
                           {"mfu", report.mfu}};
    if (step_.distribution() != nullptr) {
      record["bytes_sent"] = report.bytes_sent;
      record["comm_ms"] = report.comm_ms;
      record["hidden_comm_ms"] = report.hidden_comm_ms;
    }
    run_files_->log(record);
  }

  // Whether something reads the weights before the next step.
  bool pauses() const {
    return due(settings_.val_every) || due(settings_.sample_every) ||
           due(settings_.checkpoint_every);
  }

  // Otherwise the update of a step may wait for the next step's program, and is in that one's time
  // either way.
  void finish_update() {
    if (!step_.begin_deferred_update()) return;
    const Clock::time_point start = Clock::now();
    run_program(step_.deferred_update(), done_.step);
    late_update_s_ += seconds_since(start);
  }

  void run_program(const Program& program, int64_t t) {
    Observer* observer = tracer_ != nullptr ? tracer_->program_starts(t, program) : nullptr;
    if (step_.distribution() != nullptr) observer = busy_.watch(program, observer);
    for (const auto& [known, prepared] : prepared_) {
      if (known == &program) prepared->run(observer);
    }
  }

  void stop_if_not_finite(int64_t t) {
    const double loss = loss_, norm = step_.grad_norm();
    if (std::isfinite(loss) && std::isfinite(norm)) return;
    throw failure("train",
                  fmt::format("step {}: loss {}, gradient norm {}; the weights of this step are "
                              "not saved",
                              t, loss, norm),
                  advice())
        .on_all_ranks();
  }

  void validate() {
    if (!dataset_.val) return;
    const Evaluation e = evaluator_.run(*dataset_.val, {.B = settings_.B,
                                                        .T = settings_.T,
                                                        .stride = settings_.T,
                                                        .max_batches = settings_.val_steps,
                                                        .communicator = &communicator_});
    if (!is_main()) return;
    run_files_->log({{"kind", "val"}, {"step", done_.step}, {"loss", e.loss}});
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
    run_files_->log({{"kind", "sample"}, {"step", done_.step}, {"text", text}});
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

  // required: a disk that refuses it ends the run.
  void checkpoint(bool required) {
    on_all_ranks(communicator_, [&] { refuse_poisoned_weights(); });
    if (!is_main() && !keeps_all_moments()) send_moments();
    on_all_ranks(communicator_, [&] {
      if (is_main()) write_checkpoint_files(required);
    });
  }

  void write_checkpoint_files(bool required) {
    if (keeps_all_moments()) return required ? save({}) : try_to_save({});
    const BringMoment bring = [&](const std::string& tensor) { bring_moment(tensor); };
    try {
      required ? save(bring) : try_to_save(bring);
    } catch (const Error&) {
      bring_moment("");
      throw;
    }
    bring_moment("");
  }

  void save(const BringMoment& bring) {
    const auto path = run_files_->save(state_to_save(), state_, dataset_.tokenizer.get(), bring);
    listener_.saved(done_.step, path);
    run_files_->sync_log();
  }

  void try_to_save(const BringMoment& bring) {
    const auto path =
        run_files_->try_to_save(state_to_save(), state_, dataset_.tokenizer.get(), bring);
    if (path) listener_.saved(done_.step, *path);
  }

  const TrainSettings& settings_;
  const Dataset& dataset_;
  const Executor& executor_;
  TrainListener& listener_;
  StepTracer* tracer_;
  SingleProcess alone_;
  Communicator& communicator_;
  std::optional<RunFiles> run_files_;  // of rank 0
  int64_t tokens_per_step_;
  Workers workers_;
  Batches batches_;
  Schedule schedule_;
  TrainingState state_;
  TrainingStep step_;
  BatchEvaluator evaluator_;
  std::vector<std::pair<const Program*, std::unique_ptr<PreparedProgram>>> prepared_;
  RunState done_;
  double elapsed_s_ = 0.;
  double late_update_s_ = 0.;  // of finish_update, in no step's time yet
  double loss_ = 0.;           // of the last step, over all ranks
  bool stopping_ = false;      // some rank is to stop
  BusyTimes busy_;
  std::string brought_;  // the tensor whose moments rank 0 holds for others, to write them
};

}  // namespace

TrainOutcome train(const TrainSettings& settings, const Dataset& dataset, const Executor& executor,
                   TrainListener& listener, const std::atomic<int>& stop, StepTracer* tracer,
                   FileSystem& files) {
  SingleProcess alone;
  Communicator& ranks = settings.communicator != nullptr ? *settings.communicator : alone;
  require_same(ranks, Run::facts(settings, dataset));
  std::optional<Run> run;
  on_all_ranks(ranks, [&] { run.emplace(settings, dataset, executor, listener, tracer, files); });
  return run->train(stop);
}

}  // namespace weft
