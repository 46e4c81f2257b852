// RunReport and StepReport: the numbers of a run at its start and after each step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "exec/executor.h"
#include "run/train_settings.h"

namespace weft {

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

// What one rank sent at least, the time in which transfers were under way, and the part of that
// time in which its workers ran other ops.
struct CommunicationReport {
  int64_t bytes_sent = 0;
  double comm_ms = 0., hidden_comm_ms = 0.;
};

struct StepReport {
  int64_t step = 0;  // counted from 1
  int64_t steps = 0;
  double loss = 0.;  // mean over the global batch, before the update
  double lr = 0.;
  double grad_norm = 0.;
  int64_t tokens = 0;  // since the first step
  double elapsed_s = 0.;
  double step_ms = 0.;
  double tokens_per_s = 0.;
  double mfu = 0.;  // llm.c's convention: 6 N + 6 L C T FLOPs per token; 0 if the peak is unknown
  std::optional<CommunicationReport>
      communication;  // none where nothing is shared with other ranks
};

// The records of kind "run" and "train" in metrics.jsonl.
nlohmann::ordered_json run_record(const TrainSettings& settings, const RunReport& run, int ranks,
                                  const Executor& executor);
nlohmann::ordered_json record_of(const StepReport& step);

}  // namespace weft
