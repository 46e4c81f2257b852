// `weft eval`: a model's loss on a corpus, as one line of JSON.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/data_format.h"
#include "app/executor_flags.h"
#include "app/format.h"
#include "app/models.h"
#include "app/terminal.h"
#include "base/error.h"
#include "formats/model_files.h"
#include "train/dataset.h"
#include "train/evaluate.h"

namespace weft {
namespace {

struct EvalOptions {
  std::string model, tokenizer;
  std::string data_format = kShardFormat;
  std::vector<std::string> data;
  int64_t batch_size = 4;
  int64_t seq_len = 0;  // 0: the model's T
  ExecutorOptions executor;
};

bool parse(const Arguments& arguments, EvalOptions& o) {
  Options flags("eval", "Prints a model's loss, perplexity and tokens as one line of JSON.");
  CLI::Option* model = flags.text("--model", o.model, "PATH",
                                  "Run directory, checkpoint, Hugging Face directory, "
                                  ".safetensors or llm.c .bin");
  CLI::Option* data =
      flags.texts("--data", o.data, "PATH",
                  "Token shards (.bin, globs), or UTF-8 text: files, folders, .jsonl");
  add_data_format_flag(flags, o.data_format);
  flags.text("--tokenizer", o.tokenizer, "PATH|bytes", "Of text; the one beside the model");
  flags.integer("--batch-size", o.batch_size, {1, 1 << 20}, "Sequences at a time");
  flags.integer("--seq-len", o.seq_len, {1, 1 << 20}, "Tokens per sequence; the model's T");
  add_executor_flags(flags, o.executor);
  if (!flags.parse(arguments)) return false;
  flags.require(model, "name a run directory or a model file");
  flags.require(data, "name text files or token shards");
  return true;
}

TokenSource open_source(const EvalOptions& o, const Config& config) {
  const auto tokenizer = find_tokenizer(o.tokenizer, o.model, config);
  return open_tokens(o.data, tokenizer.get(), parse_token_format(o.data_format));
}

Evaluation evaluate_with_progress(const EvalOptions& o, const LoadedModel& model,
                                  const TokenSource& source, Terminal& terminal) {
  const std::unique_ptr<Executor> executor = make_executor(o.executor);
  const int64_t T = o.seq_len != 0 ? o.seq_len : model.config().T;
  constexpr int64_t kAllBatches = 0;
  return evaluate(model.weights(), source, o.batch_size, T, kAllBatches, *executor,
                  GemmBackend::kAuto, [&](int64_t done, int64_t total) {
                    terminal.live(fmt::format("batch {} of {}", done, total));
                  });
}

}  // namespace

int eval_command(const Arguments& arguments) {
  EvalOptions options;
  if (!parse(arguments, options)) return 0;
  Terminal terminal;
  const TokenSource source = open_source(options, read_model_config(options.model));
  show_warnings(source, terminal);
  const LoadedModel model(options.model);
  note_non_finite(model, terminal);
  terminal.line(fmt::format("evaluating {} on {} tokens", to_string(model.config()),
                            format_count(source.tokens())));
  const Evaluation result = evaluate_with_progress(options, model, source, terminal);
  const nlohmann::ordered_json json = {
      {"loss", result.loss}, {"perplexity", std::exp(result.loss)}, {"tokens", result.tokens}};
  std::puts(json.dump().c_str());
  return 0;
}

}  // namespace weft
