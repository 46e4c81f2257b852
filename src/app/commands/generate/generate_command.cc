// `weft generate`: prints text from a model, token by token.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <optional>

#include "app/cli/executor_flags.h"
#include "app/cli/model_notes.h"
#include "app/cli/terminal.h"
#include "app/command_table.h"
#include "base/error.h"
#include "base/files.h"
#include "infer/generator.h"
#include "infer/model.h"
#include "model/bf16_weights.h"
#include "model/precision.h"

namespace weft {
namespace {

struct GenerateOptions {
  std::string model, tokenizer;
  std::string prompt, prompt_file;
  int64_t tokens = 256;
  int64_t samples = 1;
  std::string precision = precision_name(Precision::kFp32);
  SamplingSettings sampling{.temperature = 0.8};
  ExecutorSettings executor;
};

bool parse(const Arguments& arguments, GenerateOptions& o) {
  Options flags("generate", "Writes text with a model.");
  Flag model = flags.text("--model", o.model, "PATH",
                          "Run directory, checkpoint, Hugging Face directory, "
                          ".safetensors or llm.c .bin");
  flags.text("--tokenizer", o.tokenizer, "PATH|bytes", "The one beside the model");
  flags.text("--prompt", o.prompt, "TEXT", "What the text begins with");
  flags.text("--prompt-file", o.prompt_file, "FILE", "File that holds the prompt");
  flags.integer("--tokens", o.tokens, {1, 1 << 30}, "Most tokens of a sample");
  flags.real("--temperature", o.sampling.temperature, {0., 1e6}, "0 = the likeliest token always");
  flags.integer("--top-k", o.sampling.top_k, {0, 1 << 30},
                "Likeliest tokens to choose from; 0 = all");
  flags.real("--top-p", o.sampling.top_p, {1e-9, 1.}, "Share of probability to choose from");
  flags.seed("--seed", o.sampling.seed, "The same seed writes the same text");
  flags.integer("--num-samples", o.samples, {1, 1 << 20}, "Texts to write");
  flags.choice("--precision", o.precision,
               {precision_name(Precision::kFp32), precision_name(Precision::kBf16)},
               "Of the weights; bf16 is faster, on any CPU");
  add_executor_flags(flags, o.executor);
  if (!flags.parse(arguments)) return false;
  flags.require(model, "name a run directory or a model file");
  if (!o.prompt.empty() && !o.prompt_file.empty()) {
    throw flags.error("--prompt-file", "there is a --prompt too", "give one of them");
  }
  return true;
}

std::shared_ptr<const Tokenizer> require_tokenizer(const GenerateOptions& o, const Model& model) {
  auto tokenizer = model.find_tokenizer(o.tokenizer);
  if (!tokenizer) throw model.no_tokenizer("generate");
  return tokenizer;
}

// Standard output, flushed after every piece so that the reader sees the text grow.
class TextOutput {
 public:
  explicit TextOutput(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  // A model whose V exceeds the tokenizer's may draw a token that has no text.
  void token(int32_t token) {
    if (token < tokenizer_.vocabulary_size()) {
      write(stream_.push(tokenizer_.decode(static_cast<Token>(token))));
    }
  }
  void text(std::string_view text) { write(stream_.push(text)); }
  void end() { write(stream_.finish() + "\n"); }

 private:
  static void write(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

  const Tokenizer& tokenizer_;
  Utf8Stream stream_;
};

class Writer {
 public:
  Writer(const GenerateOptions& options, const Model& model, const Tokenizer& tokenizer,
         const Executor& executor, const Bf16Weights* bf16)
      : options_(options),
        tokenizer_(tokenizer),
        generator_(model.weights(), executor, GemmBackend::kAuto, bf16),
        text_(options.prompt_file.empty() ? options.prompt : read_file(options.prompt_file)) {
    const std::vector<Token> tokens =
        text_.empty() ? std::vector<Token>{tokenizer.end_of_text()} : tokenizer.encode(text_);
    prompt_.assign(tokens.begin(), tokens.end());
  }

  // Every sample has its own seed; the first has the user's.
  void write(int64_t sample) {
    SamplingSettings sampling = options_.sampling;
    sampling.seed += static_cast<uint64_t>(sample);
    TextOutput output(tokenizer_);
    output.text(text_);
    generator_.reset();
    const auto start = std::chrono::steady_clock::now();
    generate(generator_, prompt_, options_.tokens, sampling, [&](int32_t token) {
      if (token == tokenizer_.end_of_text()) return false;
      output.token(token);
      ++tokens_;
      return true;
    });
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    output.end();
  }

  std::string speed() const {
    return fmt::format("{} tokens in {:.2f} s: {:.1f} tokens/s, after a prompt of {}", tokens_,
                       seconds_, static_cast<double>(tokens_) / seconds_, prompt_.size());
  }

 private:
  const GenerateOptions& options_;
  const Tokenizer& tokenizer_;
  Generator generator_;
  std::string text_;
  std::vector<int32_t> prompt_;
  int64_t tokens_ = 0;
  double seconds_ = 0.;
};

}  // namespace

int generate_command(const Arguments& arguments) {
  GenerateOptions options;
  if (!parse(arguments, options)) return 0;
  validate(options.sampling);
  const std::unique_ptr<Executor> executor = make_executor(options.executor);
  Model model(options.model);
  const auto tokenizer = require_tokenizer(options, model);
  Terminal terminal;
  note_non_finite(model.load_weights(), terminal);
  std::optional<Bf16Weights> bf16;
  if (options.precision == precision_name(Precision::kBf16)) bf16.emplace(model.weights());
  Writer writer(options, model, *tokenizer, *executor, bf16 ? &*bf16 : nullptr);
  for (int64_t sample = 0; sample < options.samples; ++sample) {
    if (sample > 0) std::puts("---");
    writer.write(sample);
  }
  terminal.line(writer.speed());
  return 0;
}

}  // namespace weft
