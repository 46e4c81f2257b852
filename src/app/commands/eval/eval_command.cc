// `weft eval`: prints a model's loss on a corpus and its score in HellaSwag as one line of JSON.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/cli/data_format.h"
#include "app/cli/executor_flags.h"
#include "app/cli/format.h"
#include "app/cli/live_line.h"
#include "app/cli/model_notes.h"
#include "app/cli/terminal.h"
#include "app/command_table.h"
#include "base/error.h"
#include "infer/evaluate.h"
#include "infer/evaluate_hellaswag.h"
#include "infer/model.h"
#include "run/dataset.h"

namespace weft {
namespace {

struct EvalOptions {
  std::string model, tokenizer, hellaswag;
  std::string data_format = kShardFormat;
  std::vector<std::string> data;
  int64_t batch_size = 4;
  int64_t seq_len = 0;  // 0: the model's T
  int64_t stride = 0;   // 0: seq_len
  int64_t limit = 0;    // 0: every example
  ExecutorSettings executor;

  int64_t T(const Config& config) const { return seq_len != 0 ? seq_len : config.T; }
};

constexpr const char* kSummary =
    "Prints one line of JSON: loss, perplexity and tokens of --data, every token but the first "
    "predicted once; accuracy, accuracy_norm and examples of --hellaswag.";

Flag add_data_flags(Options& flags, EvalOptions& o) {
  flags.group("Loss");
  Flag data = flags.texts("--data", o.data, "PATH",
                          "Token shards (.bin, globs), or UTF-8 text: files, folders, .jsonl");
  add_data_format_flag(flags, o.data_format);
  flags.text("--tokenizer", o.tokenizer, "PATH|bytes", "Of text; the one beside the model");
  Flag stride = flags.integer(
      "--stride", o.stride, {1, 1 << 20},
      "Sliding windows: each after the first scores its last N tokens, so that they have at least "
      "seq-len - N tokens of context; seq-len: windows that touch");
  stride.needs(data);
  return data;
}

Flag add_hellaswag_flags(Options& flags, EvalOptions& o) {
  flags.group("HellaSwag");
  Flag hellaswag = flags.text(
      "--hellaswag", o.hellaswag, "FILE",
      "llm.c's hellaswag_val.bin. accuracy compares the completions' summed log-likelihood "
      "(lm-eval's acc); accuracy_norm their mean per token, as llm.c does (lm-eval's acc_norm "
      "divides by characters). A context that does not fit loses its start");
  Flag limit =
      flags.integer("--limit", o.limit, {1, int64_t{1} << 31}, "The first N examples; all");
  limit.needs(hellaswag);
  return hellaswag;
}

bool parse(const Arguments& arguments, EvalOptions& o) {
  Options flags("eval", kSummary);
  Flag model = flags.text("--model", o.model, "PATH",
                          "Run directory, checkpoint, Hugging Face directory, "
                          ".safetensors or llm.c .bin");
  const Flag data = add_data_flags(flags, o);
  const Flag hellaswag = add_hellaswag_flags(flags, o);
  flags.group("Execution");
  flags.integer("--batch-size", o.batch_size, {1, 1 << 20}, "Sequences at a time");
  flags.integer("--seq-len", o.seq_len, {1, 1 << 20}, "Tokens per sequence; the model's T");
  add_executor_flags(flags, o.executor);
  if (!flags.parse(arguments)) return false;
  flags.require(model, "name a run directory or a model file");
  if (!hellaswag.is_given()) flags.require(data, "name text files or token shards");
  return true;
}

TokenSource open_source(const EvalOptions& o, const Model& model) {
  const auto tokenizer = model.find_tokenizer(o.tokenizer);
  return open_tokens(o.data, tokenizer.get(), parse_token_format(o.data_format));
}

EvaluationProgress batches_on(Terminal& terminal, const char* what) {
  return [line = LiveLine(terminal), what](int64_t done, int64_t total) mutable {
    line.show([&] { return fmt::format("{}: batch {} of {}", what, done, total); });
  };
}

void add_loss(const EvalOptions& o, const Model& model, const TokenSource& source,
              const Executor& executor, Terminal& terminal, nlohmann::ordered_json& json) {
  terminal.line(fmt::format("evaluating {} on {} tokens", to_string(model.config()),
                            format_count(source.tokens())));
  const int64_t T = o.T(model.config());
  const EvaluationPlan plan = {.B = o.batch_size, .T = T, .stride = o.stride != 0 ? o.stride : T};
  const Evaluation result = evaluate(model.weights(), source, plan, executor, GemmBackend::kAuto,
                                     batches_on(terminal, "loss"));
  json["loss"] = result.loss;
  json["perplexity"] = std::exp(result.loss);
  json["tokens"] = result.tokens;
}

void add_hellaswag(const EvalOptions& o, const Model& model, const HellaSwag& data,
                   const Executor& executor, Terminal& terminal, nlohmann::ordered_json& json) {
  const HellaSwagPlan plan = {.B = o.batch_size, .T = o.T(model.config()), .limit = o.limit};
  const std::vector<CompletionLosses> losses = hellaswag_losses(
      model.weights(), data, plan, executor, GemmBackend::kAuto, batches_on(terminal, "HellaSwag"));
  const HellaSwagScore score = hellaswag_score(data, losses, plan.T);
  if (score.truncated > 0) {
    terminal.line(
        fmt::format("note: {} examples are longer than {} tokens and lost the start of "
                    "their context",
                    format_count(score.truncated), plan.T));
  }
  json["accuracy"] = score.accuracy;
  json["accuracy_norm"] = score.accuracy_norm;
  json["examples"] = score.examples;
}

}  // namespace

int eval_command(const Arguments& arguments) {
  EvalOptions options;
  if (!parse(arguments, options)) return 0;
  Terminal terminal;
  // All inputs are checked before the weights are read.
  Model model(options.model);
  std::optional<TokenSource> source;
  if (!options.data.empty()) source = open_source(options, model);
  if (source) show_warnings(*source, terminal);
  std::optional<HellaSwag> hellaswag;
  if (!options.hellaswag.empty()) hellaswag.emplace(options.hellaswag);
  note_non_finite(model.load_weights(), terminal);
  const std::unique_ptr<Executor> executor = make_executor(options.executor);
  nlohmann::ordered_json json;
  if (source) add_loss(options, model, *source, *executor, terminal, json);
  if (hellaswag) add_hellaswag(options, model, *hellaswag, *executor, terminal, json);
  std::puts(json.dump().c_str());
  return 0;
}

}  // namespace weft
