// Trainer: the run around the step. Data, schedule, validation, samples, checkpoints, resume, stop.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "comm/agreement.h"
#include "comm/communicator.h"
#include "exec/executor.h"
#include "kernels/gemm.h"
#include "model/config.h"
#include "model/precision.h"
#include "optim/optimizer.h"
#include "parallel/strategy.h"
#include "run/dataset.h"
#include "run/schedule.h"

namespace weft {

struct TrainSettings {
  Config model;
  std::filesystem::path init;  // weights to start from; empty: random
  std::filesystem::path out;   // run directory
  bool resume = false;

  int64_t B = 4;
  int64_t T = 1024;
  int64_t total_batch_tokens = 0;  // per optimizer step over all ranks; 0: B * T * ranks
  int64_t steps = 0;               // 0: from epochs
  double epochs = 1.;
  bool shuffle = true;
  uint64_t seed = 42;

  Schedule schedule;  // its `steps` is filled in from `steps` or `epochs`
  std::shared_ptr<const Optimizer> optimizer = default_optimizer();
  double grad_clip = 1.;  // largest global norm of the gradients; 0: no clipping

  int64_t val_every = 0, val_steps = 20;  // val_steps 0: all of the validation data
  int64_t sample_every = 0;
  int64_t checkpoint_every = 0, keep = 3;
  bool tensorboard = false;  // event files beside the log

  double peak_flops = 0.;  // of the precision, of all threads: what mfu refers to; 0: no mfu
  GemmBackend gemm = GemmBackend::kAuto;  // of fp32 products
  Precision precision = Precision::kFp32;
  bool recompute_blocks = false;  // in backward: less memory, more time, the same bits

  Communicator* communicator = nullptr;  // of the ranks that call train(); null: there is one
  DistributionSettings distribution;
  Facts facts;  // that all ranks must agree on besides model and data: version, flags

  std::string config_toml;      // written to the run directory as it is
  std::string run_json = "{}";  // what the app adds to the log's first line: version, machine
};

struct RunReport {
  int64_t parameters = 0;
  int64_t first_step = 1;  // 1 for a fresh run
  int64_t steps = 0;
  int64_t steps_per_epoch = 0;
  int64_t micro_steps = 1;
  int64_t tokens_per_step = 0;
  int64_t train_tokens = 0, val_tokens = 0;
  size_t memory_bytes = 0;
};

struct StepReport {
  int64_t step = 0;  // updates, counted from 1
  int64_t steps = 0;
  double loss = 0.;  // mean over the global batch, before the update
  double lr = 0.;
  double grad_norm = 0.;
  int64_t tokens = 0;  // cumulative
  double elapsed_s = 0.;
  double step_ms = 0.;
  double tokens_per_s = 0.;
  double mfu = 0.;  // llm.c's convention: 6 N + 6 L C T FLOPs per token; 0 if unknown

  // With several ranks, of this rank: what it sent at least, the time in which transfers were under
  // way, and the part of that which its workers had other ops for.
  int64_t bytes_sent = 0;
  double comm_ms = 0., hidden_comm_ms = 0.;
};

// Told what happens, from the thread that called train().
class TrainListener {
 public:
  virtual ~TrainListener() = default;
  virtual void started(const RunReport& run) = 0;
  virtual void stepped(const StepReport& step) = 0;
  virtual void validated(int64_t step, double loss) = 0;
  virtual void sampled(int64_t step, const std::string& text) = 0;
  virtual void saved(int64_t step, const std::filesystem::path& path) = 0;
  virtual void noted(const std::string& message) = 0;  // warnings and facts worth a line
};

enum class TrainOutcome { kFinished, kStopped };

// Watches the ops of chosen steps, for timelines. `step` counts from 1.
class StepTracer {
 public:
  virtual ~StepTracer() = default;
  // The observer of this program run within this step, or null when it is not traced.
  virtual Observer* program_starts(int64_t step, const Program& program) = 0;
};

// Runs to the end, or until *stop is not 0 on any rank: then the step in progress is finished, a
// checkpoint written, and kStopped returned. All ranks call it with the same settings; rank 0 alone
// writes, and its listener alone is told of progress.
// A disk that refuses a log line or a checkpoint on the way is noted, and the run goes on.
// Throws Error: settings that do not fit together (kInput, before anything is written), a
// checkpoint that does not fit, a loss or gradient that is not finite, a last checkpoint that
// cannot be written.
TrainOutcome train(const TrainSettings& settings, const Dataset& dataset, const Executor& executor,
                   TrainListener& listener, const std::atomic<int>& stop,
                   StepTracer* tracer = nullptr, FileSystem& files = disk());

}  // namespace weft
