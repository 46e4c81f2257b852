// `weft train`: trains a model as the flags say.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "app/cli/data_format.h"
#include "app/cli/format.h"
#include "app/cli/precision_flag.h"
#include "app/cli/rank_failures.h"
#include "app/cli/stop_signals.h"
#include "app/command_table.h"
#include "app/commands/train/progress.h"
#include "app/commands/train/step_trace.h"
#include "app/commands/train/train_options.h"
#include "base/error.h"
#include "comm/agreement.h"
#include "comm/connect.h"
#include "exec/executor.h"
#include "formats/run_layout.h"
#include "infer/model.h"
#include "measure/machine.h"
#include "model/model_flops.h"
#include "run/trainer.h"
#include "step/training_step.h"

namespace weft {
namespace {

constexpr int64_t kShardVocabulary = 50257;  // GPT-2's

// The contents of the files that the flags name.
struct Input {
  std::unique_ptr<Model> init;  // null without --init
  Dataset dataset;
};

Input open_input(const TrainOptions& o) {
  Input input;
  std::shared_ptr<const Tokenizer> tokenizer;
  if (!o.init.empty()) {
    input.init = std::make_unique<Model>(o.init);
    tokenizer = input.init->find_tokenizer(o.tokenizer);
  } else if (!o.tokenizer.empty()) {
    tokenizer = open_tokenizer(o.tokenizer);
  }
  input.dataset = open_dataset(o.data, o.val, tokenizer, parse_token_format(o.data_format));
  if (input.init && !tokenizer && input.dataset.tokenizer) {
    throw input.init->no_tokenizer("train");
  }
  return input;
}

Config choose_model(const TrainOptions& o, const Input& input) {
  if (!input.init) {
    const Tokenizer* tokenizer = input.dataset.tokenizer.get();
    return parse_model(o.model.empty() ? "d12" : o.model,
                       tokenizer != nullptr ? tokenizer->vocabulary_size() : kShardVocabulary);
  }
  const Config& config = input.init->config();
  if (!o.model.empty()) {
    const Config named = parse_model(o.model, config.V);
    if (named != config) {
      throw input_error(
          "train",
          fmt::format("--model is {}, and --init holds {}", to_string(named), to_string(config)),
          "leave --model out to train the model of --init");
    }
  }
  return config;
}

void check(const TrainOptions& o) {
  const auto required = [](bool given, const char* flag, const char* hint) {
    if (!given) throw input_error("train", fmt::format("{} is required", flag), hint);
  };
  required(!o.data.empty(), "--data", "give a text file or token shards to train on");
  required(!o.out.empty(), "--out", "give a directory for checkpoints and logs");
  if (o.settings.batches.steps != 0 && o.settings.batches.epochs != 0.) {
    throw input_error("train", "--steps and --epochs both set the length of the run",
                      "give one of them");
  }
  if (o.trace.empty() && !o.trace_steps.empty()) {
    throw input_error("train", "--trace-steps without --trace", "name the file with --trace");
  }
}

std::string run_json(Precision precision) {
  return nlohmann::ordered_json{{"version", version()},
                                {"commit", git_commit()},
                                {"machine", cpu_name()},
                                {"cpus", available_cpus()},
                                {"gemm", gemm_description(precision)},
                                {"openmp", openmp_runtime()},
                                {"mpi", mpi_library()}}
      .dump();
}

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

// Returns the facts that must be equal on all ranks: the program and all flags but those that say
// how a rank runs.
Facts facts_of(const TrainOptions& o) {
  Facts facts = {{"weft's version", version()}, {"weft's commit", git_commit()}};
  std::istringstream lines(o.toml);
  for (std::string line; std::getline(lines, line);) {
    const size_t equals = line.find('=');
    if (equals == std::string::npos || line.starts_with('#')) continue;
    const std::string name = trimmed(line.substr(0, equals));
    if (name != "threads") facts.emplace_back("--" + name, trimmed(line.substr(equals + 1)));
  }
  return facts;
}

TrainSettings make_settings(const TrainOptions& o, const Config& model, const Executor& executor) {
  TrainSettings s = o.settings;
  s.model = model;
  s.init = o.init;
  s.step.T = o.seq_len != 0 ? o.seq_len : model.T;
  s.step.recompute_blocks = recomputes_blocks(o.recompute);
  s.schedule.kind = parse_schedule(o.schedule);
  s.facts = facts_of(o);
  require_precision("train", s.step.precision);
  s.peak_flops = measure_peak_flops(executor, s.step.precision);
  s.output.directory = o.out;
  s.output.config_toml = o.toml;
  s.output.run_json = run_json(s.step.precision);
  return s;
}

RunDescription describe(const TrainOptions& o, const TrainSettings& s, const Dataset& dataset,
                        const Executor& executor) {
  RunDescription d;
  d.model = to_string(s.model);
  d.origin = o.init.empty() ? "random weights" : "weights of " + o.init;
  d.tokenizer = dataset.tokenizer ? dataset.tokenizer->name() : "";
  d.machine = fmt::format("{} x {} threads, {} by {}, {}, peak {}FLOP/s (mfu by {})",
                          executor.name(), executor.threads(), precision_name(s.step.precision),
                          gemm_description(s.step.precision), openmp_runtime(),
                          format_large(s.peak_flops), kMfuConvention);
  d.out = o.out;
  d.B = s.step.B;
  d.T = s.step.T;
  return d;
}

// Notes about requests that cannot be met and do not prevent training.
void warn(const TrainOptions& o, const Dataset& dataset, Terminal& terminal) {
  show_warnings(dataset.train, terminal);
  if (dataset.val) show_warnings(*dataset.val, terminal);
  if (o.settings.validation.every > 0 && !dataset.val) {
    terminal.line("note: nothing to validate on: token shards need --val");
  }
  if (o.settings.samples.every > 0 && !dataset.tokenizer) {
    terminal.line("note: no samples: token shards need --tokenizer for them");
  }
}

void tell_what_next(const TrainOptions& o, TrainOutcome outcome, Terminal& terminal) {
  if (outcome == TrainOutcome::kStopped) {
    const std::string config = RunLayout{o.out}.config().string();
    terminal.line(
        fmt::format("continue with: weft train --config {} --resume", quote_for_shell(config)));
  } else {
    terminal.line(fmt::format("write with: weft generate --model {}", quote_for_shell(o.out)));
  }
}

// The listener of the ranks that print nothing.
class SilentListener : public TrainListener {
 public:
  void started(const RunReport&) override {}
  void stepped(const StepReport&) override {}
  void validated(int64_t, double) override {}
  void sampled(int64_t, const std::string&) override {}
  void saved(int64_t, const std::filesystem::path&) override {}
  void noted(const std::string&) override {}
};

// The inputs of a run, opened.
struct Preparation {
  std::unique_ptr<Executor> executor;
  std::unique_ptr<StepTrace> trace;  // null without --trace
  Input input;
  TrainSettings settings;
};

Preparation prepare(const TrainOptions& o) {
  check(o);
  Preparation p;
  p.executor = make_executor(o.executor);
  if (!o.trace.empty()) p.trace = std::make_unique<StepTrace>(o.trace, o.trace_steps);
  p.input = open_input(o);
  p.settings = make_settings(o, choose_model(o, p.input), *p.executor);
  return p;
}

int exit_status(TrainOutcome outcome, const StopSignals& signals) {
  if (outcome == TrainOutcome::kFinished) return 0;
  // A rank without a signal stops together with the signalled ones.
  return 128 + (signals.requested() != 0 ? signals.requested().load() : SIGTERM);
}

int run_main_rank(const TrainOptions& o, Preparation& p) {
  Terminal terminal;
  warn(o, p.input.dataset, terminal);
  Progress progress(terminal, describe(o, p.settings, p.input.dataset, *p.executor));
  const StopSignals signals(
      "stopping after this step; the same signal again stops at once, without saving");
  const TrainOutcome outcome =
      train(p.settings, p.input.dataset, *p.executor, progress, signals.requested(), p.trace.get());
  progress.finish(outcome);
  if (p.trace) terminal.line(p.trace->write(*p.settings.step.communicator, p.executor->threads()));
  tell_what_next(o, outcome, terminal);
  if (!progress.checkpoint().empty()) std::puts(progress.checkpoint().c_str());
  return exit_status(outcome, signals);
}

int run_other_rank(Preparation& p) {
  SilentListener silent;
  const StopSignals signals("");
  const TrainOutcome outcome =
      train(p.settings, p.input.dataset, *p.executor, silent, signals.requested(), p.trace.get());
  if (p.trace) p.trace->write(*p.settings.step.communicator, p.executor->threads());
  return exit_status(outcome, signals);
}

int run(const TrainOptions& o, Communicator& communicator) {
  Preparation p;
  on_all_ranks(communicator, [&] { p = prepare(o); });
  p.settings.step.communicator = &communicator;
  communicator.all_reduce({&p.settings.peak_flops, 1}, Reduction::kSum);
  return communicator.rank() == 0 ? run_main_rank(o, p) : run_other_rank(p);
}

}  // namespace

int train_command(const Arguments& arguments) {
  const std::unique_ptr<Communicator> communicator = connect();
  return run_as_rank(*communicator, [&] {
    TrainOptions options;
    bool runs = false;
    on_all_ranks(*communicator, [&] { runs = parse_train_options(arguments, options); });
    if (!runs) return 0;
    if (options.dump_config) {
      if (communicator->rank() == 0) std::fputs(options.toml.c_str(), stdout);
      return 0;
    }
    return run(options, *communicator);
  });
}

}  // namespace weft
