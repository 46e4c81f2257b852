// `weft tokenize`: turns text into token files, and back.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <optional>

#include "app/cli/executor_flags.h"
#include "app/cli/format.h"
#include "app/cli/output_file.h"
#include "app/cli/stop_signals.h"
#include "app/cli/terminal.h"
#include "app/command_table.h"
#include "app/commands/tokenize/tokenize_options.h"
#include "app/commands/tokenize/tokenize_progress.h"
#include "base/error.h"
#include "base/file_writer.h"
#include "data/token_source.h"
#include "data/tokenizer.h"
#include "run/corpus_encoder.h"
#include "run/token_files.h"

namespace weft {
namespace {

constexpr const char* kWhere = "tokenize";

struct Targets {
  TokenTarget train;
  std::optional<TokenTarget> val;
};

void refuse_to_mix(const TokenTarget& target, const std::string& flag) {
  const std::vector<std::filesystem::path> stale = numbered_files(target);
  if (stale.empty()) return;
  throw input_error(kWhere,
                    fmt::format("{}: {} shards are there already, {} to {}", flag, stale.size(),
                                stale.front().string(), stale.back().string()),
                    "replace them all with --force, or name another file");
}

void refuse_to_overwrite(const TokenTarget& target, const std::string& flag,
                         const std::vector<CorpusFile>& inputs) {
  for (const CorpusFile& input : inputs) {
    if (!names_part_of(target, input.path)) continue;
    throw input_error(kWhere, fmt::format("{} would overwrite the input {}", flag, input.path),
                      "name another file");
  }
}

void check_target(const TokenTarget& target, const std::string& flag, bool force,
                  const std::vector<CorpusFile>& inputs) {
  if (!force) refuse_to_mix(target, flag);
  refuse_to_overwrite(target, flag, inputs);
}

Targets checked_targets(const TokenizeOptions& o, const std::vector<CorpusFile>& inputs) {
  const TokenFormat format = parse_token_format(o.data_format);
  Targets targets{{o.out, format, o.shard_tokens}, {}};
  check_target(targets.train, "--out", o.force, inputs);
  if (o.val_out.empty()) return targets;
  targets.val = {o.val_out, format, o.shard_tokens};
  check_target(*targets.val, "--val-out", o.force, inputs);
  if (names_part_of(targets.train, o.val_out) || names_part_of(*targets.val, o.out)) {
    throw input_error(kWhere, "--out and --val-out name the same files", "name two");
  }
  return targets;
}

EndOfText parse_end_of_text(const std::string& name) {
  if (name == "before") return EndOfText::kBefore;
  return name == "after" ? EndOfText::kAfter : EndOfText::kNone;
}

SpecialTokens parse_special_tokens(const std::string& name) {
  if (name == "recognise") return SpecialTokens::kRecognise;
  return name == "refuse" ? SpecialTokens::kRefuse : SpecialTokens::kOrdinary;
}

CorpusFormat format_of(const TokenizeOptions& o) {
  CorpusFormat format;
  format.documents = {o.separator, o.keep_separator};
  format.field = o.field;
  return format;
}

uintmax_t bytes_of(const std::vector<CorpusFile>& files) {
  return std::transform_reduce(files.begin(), files.end(), uintmax_t{0}, std::plus<>(),
                               [](const CorpusFile& file) { return file.bytes; });
}

EncodeProgress fill(TokenSpool& spool, const TokenizeOptions& o, const Tokenizer& tokenizer,
                    const std::vector<CorpusFile>& inputs, const StopSignals& signals,
                    Terminal& terminal) {
  TokenizeProgress progress(terminal, bytes_of(inputs));
  const EncodeCallbacks callbacks = {
      .write = [&](Vector<const Token> tokens) { spool.append(tokens); },
      .progressed =
          [&](const EncodeProgress& done) {
            signals.check();
            progress.reached(done.bytes);
          }};
  const std::unique_ptr<Executor> executor = make_executor({"fork-join", o.threads});
  const EncodeSettings settings = {parse_end_of_text(o.eot),
                                   parse_special_tokens(o.special_tokens)};
  const EncodeProgress done =
      encode_corpus(inputs, format_of(o), tokenizer, settings, *executor, callbacks);
  spool.finish();
  progress.finish(done.bytes);
  return done;
}

void report(const std::vector<TokenFile>& files, int64_t tokens, int64_t documents) {
  std::string text;
  for (const TokenFile& file : files) {
    text += fmt::format("{}: {} tokens\n", file.path.string(), format_count(file.tokens));
  }
  text += fmt::format("{} tokens in {} {}\n", format_count(tokens), format_count(documents),
                      documents == 1 ? "document" : "documents");
  std::fputs(text.c_str(), stdout);
}

void encode(const TokenizeOptions& o, const Tokenizer& tokenizer, Terminal& terminal) {
  require_replaceable(o.out, "--out");
  if (!o.val_out.empty()) require_replaceable(o.val_out, "--val-out");
  const std::vector<CorpusFile> inputs = list_corpus(o.inputs);
  const Targets targets = checked_targets(o, inputs);
  const StopSignals signals("stopping; the same signal again stops at once");
  TokenSpool spool(o.out);
  const EncodeProgress done = fill(spool, o, tokenizer, inputs, signals, terminal);
  const auto held_out = static_cast<int64_t>(o.val_fraction * static_cast<double>(spool.tokens()));
  const std::vector<TokenFile> files =
      write_token_files(spool, targets.train, targets.val, held_out, [&] { signals.check(); });
  report(files, spool.tokens(), done.documents);
}

TokenSource open_to_decode(const TokenizeOptions& o, const Tokenizer& tokenizer,
                           Terminal& terminal) {
  TokenSource source = TokenSource::open_shards({o.decode}, parse_token_format(o.data_format));
  show_warnings(source, terminal);
  if (source.largest_token() >= tokenizer.vocabulary_size()) {
    throw input_error(
        kWhere,
        fmt::format("{} holds token id {}, and {} has {} tokens", o.decode, source.largest_token(),
                    tokenizer.name(), tokenizer.vocabulary_size()),
        "give the --tokenizer that it was made with");
  }
  return source;
}

// Calls write with the pieces of the text, in order.
template <typename Write>
void decode_to(const TokenSource& source, const Tokenizer& tokenizer, Write write) {
  constexpr int64_t kPiece = 1 << 16;
  std::vector<int32_t> tokens;
  std::string text;
  for (int64_t begin = 0; begin < source.tokens(); begin += kPiece) {
    tokens.resize(static_cast<size_t>(std::min(kPiece, source.tokens() - begin)));
    source.copy(begin, tokens);
    text.clear();
    for (const int32_t token : tokens) text += tokenizer.decode(static_cast<Token>(token));
    write(text);
  }
}

void decode(const TokenizeOptions& o, const Tokenizer& tokenizer, Terminal& terminal) {
  if (!o.out.empty()) require_replaceable(o.out, "--out");
  const TokenSource source = open_to_decode(o, tokenizer, terminal);
  if (o.out.empty()) {
    decode_to(source, tokenizer, [](const std::string& text) { write_result("", text); });
    return;
  }
  AtomicFile file(o.out);
  decode_to(source, tokenizer,
            [&](const std::string& text) { file.append(text.data(), text.size()); });
  file.finish();
}

}  // namespace

int tokenize_command(const Arguments& arguments) {
  TokenizeOptions options;
  if (!parse_tokenize_options(arguments, options)) return 0;
  const std::unique_ptr<Tokenizer> tokenizer = open_tokenizer(options.tokenizer);
  Terminal terminal;
  if (!options.decode.empty()) {
    decode(options, *tokenizer, terminal);
    return 0;
  }
  try {
    encode(options, *tokenizer, terminal);
    return 0;
  } catch (const Stopped& stopped) {
    terminal.line("stopped: nothing was written");
    return stopped.exit_status();
  }
}

}  // namespace weft
