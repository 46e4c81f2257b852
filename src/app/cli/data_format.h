// --data-format, as every command that opens or writes token files has it.
#pragma once

#include <string>

#include "app/cli/options.h"
#include "app/cli/terminal.h"
#include "data/token_source.h"

namespace weft {

constexpr const char* kShardFormat = "shard";

// REQUIRES: format outlives the flags.
void add_data_format_flag(Options& flags, std::string& format);

// REQUIRES: the name passed the flag.
TokenFormat parse_token_format(const std::string& name);

void show_warnings(const TokenSource& source, Terminal& terminal);

}  // namespace weft
