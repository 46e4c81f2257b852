#include "app/commands/tokenize/tokenize_options.h"

#include <fmt/format.h>

#include "app/cli/executor_flags.h"

namespace weft {
namespace {

// llm.c seeks with 32-bit offsets: it cannot read shards of 2 GiB or more.
constexpr int64_t kMostShardTokens = 1'000'000'000;

void check(const Options& flags, const TokenizeOptions& o) {
  if (o.decode.empty() == o.inputs.empty()) {
    throw flags.error("INPUT", "give text to encode, or token files to --decode");
  }
  if ((o.val_fraction > 0.) == o.val_out.empty()) {
    throw flags.error("--val-fraction", "needs --val-out, and the other way round");
  }
  if (o.keep_separator && o.separator.empty()) {
    throw flags.error("--keep-separator", "needs --separator");
  }
}

void add_input_flags(Options& flags, TokenizeOptions& o) {
  flags.group("Input");
  flags.texts("INPUT", o.inputs, "PATH",
              "UTF-8 text files; JSON Lines (.jsonl); folders: all .txt, .md and .jsonl in them");
  flags.text("--field", o.field, "NAME",
             "Field of each JSON object that is its text; every input is JSON Lines then; text");
  flags.text("--separator", o.separator, "STR",
             "Between the documents of a text file (\\n, \\t allowed); without it a file is one");
  flags.flag("--keep-separator", o.keep_separator, "Leave it at the end of each document");
  flags.text("--decode", o.decode, "FILE.bin", "Token files to turn into text instead; a glob");
}

// Returns --out.
Flag add_output_flags(Options& flags, TokenizeOptions& o) {
  flags.group("Output");
  Flag out = flags.text("--out", o.out, "FILE.bin",
                        "Where to, FILE_000000.bin, FILE_000001.bin, ... if one shard is "
                        "too small; --decode writes to standard output without it");
  flags.real("--val-fraction", o.val_fraction, {0., 0.99},
             "Share of the tokens, from the end, that goes to --val-out");
  flags.text("--val-out", o.val_out, "FILE.bin", "Validation tokens, as --out");
  flags.integer("--shard-tokens", o.shard_tokens, {1, kMostShardTokens},
                "The most tokens in one shard");
  flags.flag("--force", o.force, "Replace numbered shards of an earlier run");
  add_data_format_flag(flags, o.data_format);
  return out;
}

}  // namespace

std::string unescape(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      result += text[i];
      continue;
    }
    const char escape = ++i < text.size() ? text[i] : ' ';
    const size_t known = std::string_view("ntr0\\").find(escape);
    if (known == std::string_view::npos) {
      throw input_error("tokenize", fmt::format("--separator {} holds an unknown escape", text),
                        "use \\n, \\t, \\r, \\0 or \\\\");
    }
    result += std::string_view("\n\t\r\0\\", 5)[known];
  }
  return result;
}

bool parse_tokenize_options(const Arguments& arguments, TokenizeOptions& o) {
  Options flags("tokenize", "Turns text into token shards to train on, or shards back into text.");
  const Flag tokenizer = flags.text("--tokenizer", o.tokenizer, "PATH|bytes",
                                    "Directory or file of a tokenizer, or bytes");
  flags.choice("--eot", o.eot, {"before", "after", "none"},
               "Where each document gets an end-of-text token");
  flags.choice("--special-tokens", o.special_tokens, {"ordinary", "recognise", "refuse"},
               "What <|endoftext|> in a text is: its characters, the token, or an error");
  add_threads_flag(flags, o.threads);
  add_input_flags(flags, o);
  const Flag out = add_output_flags(flags, o);
  if (!flags.parse(arguments)) return false;
  flags.require(tokenizer, "give its directory, or bytes");
  check(flags, o);
  if (o.decode.empty()) flags.require(out, "name the shard to write");
  o.separator = unescape(o.separator);
  return true;
}

}  // namespace weft
