#include "app/commands/train/train_options.h"

#include <memory>

#include "app/cli/executor_flags.h"
#include "app/cli/precision_flag.h"
#include "app/cli/strategy_flags.h"

namespace weft {
namespace {

// Generous limits: far above any use, far below where a product could overflow.
constexpr int64_t kMany = int64_t{1} << 40;
constexpr int64_t kLongest = 1 << 20;
constexpr double kLarge = 1e6;
constexpr double kBelowOne = 0.9999999;  // stays below one as a float
constexpr double kTiniest = 1e-30;       // stays above zero as a float

// Returns --model.
Flag add_input_flags(Options& flags, TrainOptions& o) {
  flags.group("Input and output");
  flags.texts("--data", o.data, "PATH",
              "Token shards (.bin, globs), or UTF-8 text: files, folders, .jsonl");
  flags.texts("--val", o.val, "PATH", "Validation input; without it the last 10 % of a text");
  add_data_format_flag(flags, o.data_format);
  flags.text("--tokenizer", o.tokenizer, "PATH|bytes",
             "Tokenizer of text; taken from --init, else bytes");
  Flag model = flags.text("--model", o.model, "NAME",
                          "d6, d12 .. d84, gpt2, gpt2-medium, gpt2-large, gpt2-xl, or "
                          "L=4,NH=4,C=128,T=128[,V=...]; that of --init, else d12");
  flags.text("--init", o.init, "PATH", "Weights to start from; random without it");
  flags.text("--out", o.out, "DIR", "Run directory");
  flags
      .flag("--resume", o.settings.output.resume,
            "Continue the run in --out from its newest good checkpoint")
      .only_on_command_line();
  return model;
}

void add_length_flags(Options& flags, TrainOptions& o) {
  BatchSettings& batches = o.settings.batches;
  flags.group("Batch and length");
  flags.integer("--batch-size", o.settings.step.B, {1, kLongest}, "Sequences per micro-step");
  flags.integer("--seq-len", o.seq_len, {1, kLongest}, "Tokens per sequence; the model's T");
  flags.integer("--total-batch-tokens", batches.total_tokens, {1, kMany},
                "Tokens per optimizer step; gradients accumulate to it; one micro-step");
  flags.integer("--steps", batches.steps, {1, kMany}, "Length of the run in optimizer steps");
  flags.real("--epochs", batches.epochs, {1e-9, kLarge}, "Length of the run in epochs; 1");
  flags.flag("--shuffle,!--no-shuffle", batches.shuffle,
             "Shuffle the sequences, or read them in order");
  flags.seed("--seed", batches.seed,
             "Of the initial weights, the order of the data and the samples");
}

void add_optimizer_flags(Options& flags, TrainOptions& o) {
  Schedule& schedule = o.settings.schedule;
  AdamWSettings& adamw = o.adamw;
  flags.group("Optimizer");
  flags.real("--lr", schedule.lr, {0., kLarge}, "Learning rate");
  flags.choice("--schedule", o.schedule, {"cosine", "linear", "constant", "wsd"},
               "How the rate falls");
  flags.integer("--warmup", schedule.warmup, {0, kMany}, "Steps until the full rate");
  flags.real("--final-lr-frac", schedule.final_lr_fraction, {0., 1.},
             "Share of the rate at the end");
  flags.real("--beta1", adamw.beta1, {0., kBelowOne}, "AdamW: decay of the mean");
  flags.real("--beta2", adamw.beta2, {0., kBelowOne}, "AdamW: decay of the mean square");
  flags.real("--eps", adamw.eps, {kTiniest, 1.}, "AdamW: added to the root of the mean square");
  flags.real("--weight-decay", adamw.weight_decay, {0., kLarge}, "AdamW: on matrices only");
  flags.real("--grad-clip", o.settings.step.grad_clip, {0., kLarge},
             "Largest gradient norm; 0 = off");
}

void add_report_flags(Options& flags, TrainOptions& o) {
  flags.group("Validation, samples, checkpoints (0 = only at the end)");
  flags.integer("--val-every", o.settings.validation.every, {0, kMany},
                "Steps between validations");
  flags.integer("--val-steps", o.settings.validation.batches, {0, kMany},
                "Batches per validation; 0 = all");
  flags.integer("--sample-every", o.settings.samples.every, {0, kMany},
                "Steps between samples; 0 = none");
  flags.integer("--checkpoint-every", o.settings.checkpoints.every, {0, kMany},
                "Steps between checkpoints");
  flags.integer("--keep", o.settings.checkpoints.keep, {0, kMany}, "Checkpoints to keep; 0 = all");
}

void add_execution_flags(Options& flags, TrainOptions& o) {
  flags.group("Execution");
  add_executor_flags(flags, o.executor);
  add_precision_flag(flags, o.settings.step.precision);
  add_recompute_flag(flags, o.recompute);
  flags.text("--trace", o.trace, "FILE",
             "Timeline: .json or .json.gz for Perfetto (ui.perfetto.dev), .prv for Paraver");
  flags.text("--trace-steps", o.trace_steps, "A:B", "Steps in the timeline; the first ten");
  flags.flag("--tensorboard", o.settings.output.tensorboard,
             "Write event files for TensorBoard into --out");
}

void add_distribution_flags(Options& flags, TrainOptions& o) {
  DistributionSettings& distribution = o.settings.step.distribution;
  flags.group("Several ranks (started by mpirun or srun)");
  add_strategy_flags(flags, distribution.strategy, distribution.bucket_mb);
  flags.flag("--overlap,!--no-overlap", distribution.overlap,
             "Communicate beside computation, or, for comparison, before and after it");
  flags.flag("--reproducible", distribution.reproducible,
             "The same bits on any number of ranks, for the same total batch");
  flags.flag("--dedicated-server", distribution.dedicated_server,
             "With --dist server: rank 0 computes no batches");
}

}  // namespace

bool parse_train_options(const Arguments& arguments, TrainOptions& options) {
  Options flags("train", "Trains a GPT-2 on text or token shards.");
  Flag model = add_input_flags(flags, options);
  add_length_flags(flags, options);
  add_optimizer_flags(flags, options);
  add_report_flags(flags, options);
  add_execution_flags(flags, options);
  add_distribution_flags(flags, options);
  flags.group("Configuration");
  flags.configurable();
  if (!flags.parse(arguments)) return false;
  options.settings.step.optimizer = std::make_shared<AdamW>(options.adamw);
  if (options.init.empty()) model.show_default("d12");
  options.toml = flags.to_toml();
  options.dump_config = flags.wants_dump();
  return true;
}

}  // namespace weft
