// TrainOptions: the command line of `weft train`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/cli/data_format.h"
#include "app/cli/options.h"
#include "app/cli/recompute_flag.h"
#include "exec/executor.h"
#include "optim/adamw.h"
#include "run/train_settings.h"

namespace weft {

struct TrainOptions {
  // Flags whose value is a setting write to it.
  TrainSettings settings;

  // Flags that name a file, or whose meaning depends on one.
  std::vector<std::string> data, val;
  std::string data_format = kShardFormat;
  std::string tokenizer;  // "": from --init, else bytes
  std::string model;      // "": that of --init, else d12
  std::string init;
  std::string out;
  int64_t seq_len = 0;  // 0: the model's T
  AdamWSettings adamw;
  std::string schedule = "cosine";
  std::string recompute = kRecomputeNone;
  ExecutorSettings executor;
  std::string trace, trace_steps;

  std::string toml;  // every flag with its value, as --config reads it back
  bool dump_config = false;
};

// Returns false if --help was given, after printing the help. Throws Error (kInput) that names the
// flag.
bool parse_train_options(const Arguments& arguments, TrainOptions& options);

}  // namespace weft
