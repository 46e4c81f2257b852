// TokenizeOptions: the command line of `weft tokenize`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/cli/data_format.h"
#include "app/cli/options.h"

namespace weft {

struct TokenizeOptions {
  std::vector<std::string> inputs;
  std::string decode;  // the token files to turn into text
  std::string tokenizer;
  std::string field;  // "": `text` of *.jsonl
  std::string separator;
  bool keep_separator = false;
  std::string eot = "before";
  std::string special_tokens = "ordinary";
  int64_t threads = 0;  // 0: the CPUs in the affinity mask

  std::string out, val_out;
  std::string data_format = kShardFormat;
  double val_fraction = 0.;
  int64_t shard_tokens = 100'000'000;
  bool force = false;
};

// Returns false if --help was given, after printing the help. Throws Error (kInput) that names the
// flag.
bool parse_tokenize_options(const Arguments& arguments, TokenizeOptions& options);

// Returns the text with \n, \t, \r, \0 and \\ resolved. Throws Error (kInput) for other escapes.
std::string unescape(const std::string& text);

}  // namespace weft
