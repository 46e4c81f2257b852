// `weft tokenize`: text to an llm.c token shard, and back.
#include <fmt/format.h>

#include <algorithm>

#include "app/commands.h"
#include "app/format.h"
#include "app/output_file.h"
#include "app/terminal.h"
#include "base/error.h"
#include "base/files.h"
#include "data/token_source.h"
#include "data/tokenizer.h"

namespace weft {
namespace {

struct TokenizeOptions {
  std::vector<std::string> inputs;
  std::string decode;  // the shard to turn into text
  std::string tokenizer;
  std::string out, val_out;
  std::string eot = "before";
  double val_fraction = 0.;
};

void check(const Options& flags, const TokenizeOptions& o) {
  if (o.decode.empty() == o.inputs.empty()) {
    throw flags.error("INPUT", "give text files to encode, or a shard to --decode");
  }
  if ((o.val_fraction > 0.) == o.val_out.empty()) {
    throw flags.error("--val-fraction", "needs --val-out, and the other way round");
  }
}

bool parse(const Arguments& arguments, TokenizeOptions& o) {
  Options flags("tokenize", "Turns text files into one token shard, or a shard back into text.");
  flags.texts("INPUT", o.inputs, "FILE", "UTF-8 text files, each a document");
  flags.text("--decode", o.decode, "FILE.bin", "Shard to turn into text instead");
  const CLI::Option* tokenizer = flags.text("--tokenizer", o.tokenizer, "PATH|bytes",
                                            "Directory or file of a tokenizer, or bytes");
  const CLI::Option* out =
      flags.text("--out", o.out, "FILE", "Where to; --decode writes to standard output without it");
  flags.choice("--eot", o.eot, {"before", "after", "none"},
               "Where each document gets an end-of-text token");
  flags.real("--val-fraction", o.val_fraction, {0., 0.99},
             "Share of the tokens, from the end, that goes to --val-out");
  flags.text("--val-out", o.val_out, "FILE.bin", "Shard of validation tokens");
  if (!flags.parse(arguments)) return false;
  flags.require(tokenizer, "give its directory, or bytes");
  check(flags, o);
  if (o.decode.empty()) flags.require(out, "name the shard to write");
  return true;
}

std::vector<Token> encode_files(const TokenizeOptions& o, const Tokenizer& tokenizer,
                                Terminal& terminal) {
  std::vector<Token> tokens;
  for (const std::string& path : o.inputs) {
    terminal.live(fmt::format("reading {}", path));
    if (o.eot == "before") tokens.push_back(tokenizer.end_of_text());
    const std::vector<Token> document = tokenizer.encode(read_file(path));
    tokens.insert(tokens.end(), document.begin(), document.end());
    if (o.eot == "after") tokens.push_back(tokenizer.end_of_text());
  }
  return tokens;
}

void write_shard(const std::string& path, Vector<const Token> tokens, Terminal& terminal) {
  write_token_shard(path, tokens);
  terminal.line(fmt::format("{}: {} tokens", path, format_count(std::ssize(tokens))));
}

void encode(const TokenizeOptions& o, const Tokenizer& tokenizer, Terminal& terminal) {
  require_directory_of(o.out, "--out");
  require_directory_of(o.val_out, "--val-out");
  const std::vector<Token> tokens = encode_files(o, tokenizer, terminal);
  const auto held_out = static_cast<size_t>(o.val_fraction * static_cast<double>(tokens.size()));
  const Vector<const Token> all = tokens;
  write_shard(o.out, all.first(all.size() - held_out), terminal);
  if (!o.val_out.empty()) write_shard(o.val_out, all.last(held_out), terminal);
}

// A source hands out neighbours: all tokens are the first of each pair and the second of the last.
std::vector<Token> tokens_of(const TokenSource& source) {
  if (source.tokens() == 1) return {source.largest_token()};
  std::vector<Token> tokens;
  tokens.reserve(static_cast<size_t>(source.tokens()));
  int32_t first = 0, second = 0;
  for (int64_t i = 0; i < source.samples(1); ++i) {
    source.sample(i, {&first, 1}, {&second, 1});
    tokens.push_back(static_cast<Token>(first));
  }
  tokens.push_back(static_cast<Token>(second));
  return tokens;
}

void decode(const TokenizeOptions& o, const Tokenizer& tokenizer) {
  const TokenSource source = TokenSource::open_shards({o.decode});
  if (source.largest_token() >= tokenizer.vocabulary_size()) {
    throw input_error(
        "tokenize",
        fmt::format("{} holds token id {}, and {} has {} tokens", o.decode, source.largest_token(),
                    tokenizer.name(), tokenizer.vocabulary_size()),
        "give the --tokenizer that it was made with");
  }
  write_result(o.out, tokenizer.decode(tokens_of(source)));
}

}  // namespace

int tokenize_command(const Arguments& arguments) {
  TokenizeOptions options;
  if (!parse(arguments, options)) return 0;
  const std::unique_ptr<Tokenizer> tokenizer = open_tokenizer(options.tokenizer);
  Terminal terminal;
  if (options.decode.empty()) {
    encode(options, *tokenizer, terminal);
  } else {
    decode(options, *tokenizer);
  }
  return 0;
}

}  // namespace weft
