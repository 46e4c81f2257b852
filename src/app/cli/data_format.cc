#include "app/cli/data_format.h"

namespace weft {
namespace {

constexpr const char* kRawFormat = "raw-u16";

}  // namespace

void add_data_format_flag(Options& flags, std::string& format) {
  flags.choice("--data-format", format, {kShardFormat, kRawFormat},
               "Of token files: llm.c's shards, or nanoGPT's .bin without a header");
}

TokenFormat parse_token_format(const std::string& name) {
  return name == kRawFormat ? TokenFormat::kRawU16 : TokenFormat::kShard;
}

void show_warnings(const TokenSource& source, Terminal& terminal) {
  for (const std::string& warning : source.warnings()) {
    terminal.line("warning: " + single_line(warning));
  }
}

}  // namespace weft
