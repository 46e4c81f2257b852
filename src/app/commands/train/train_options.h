// TrainOptions: what the user said on the command line of `weft train`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/cli/data_format.h"
#include "app/cli/executor_flags.h"
#include "app/cli/options.h"
#include "app/cli/precision_flag.h"
#include "app/cli/recompute_flag.h"

namespace weft {

struct TrainOptions {
  std::vector<std::string> data, val;
  std::string data_format = kShardFormat;
  std::string tokenizer;  // "": from --init, else bytes
  std::string model;      // "": that of --init, else d12
  std::string init;
  std::string out;
  bool resume = false;

  int64_t batch_size = 4;
  int64_t seq_len = 0;             // 0: the model's T
  int64_t total_batch_tokens = 0;  // 0: one micro-step
  int64_t steps = 0;               // 0: from epochs
  double epochs = 0.;              // 0: from steps, else 1

  double lr = 3e-4;
  std::string schedule = "cosine";
  int64_t warmup = 0;
  double final_lr_frac = 0.1;
  double beta1 = 0.9, beta2 = 0.95, eps = 1e-8;
  double weight_decay = 0.1, grad_clip = 1.;
  bool shuffle = true;
  uint64_t seed = 42;

  int64_t val_every = 0, val_steps = 20, sample_every = 0;
  int64_t checkpoint_every = 0, keep = 3;

  ExecutorOptions executor;
  std::string precision = "fp32", recompute = kRecomputeNone;
  std::string dist = "all-reduce";
  double bucket_mb = 25.;
  bool overlap = true, reproducible = false, dedicated_server = false;
  std::string trace, trace_steps;
  bool tensorboard = false;

  std::string toml;  // all of it, for --config
  bool dump_config = false;
};

// False if --help was given and has been printed. Throws Error (kInput) that names the flag.
bool parse_train_options(const Arguments& arguments, TrainOptions& options);

}  // namespace weft
