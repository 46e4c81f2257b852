// RunLog: a metrics.jsonl (runlog/metrics_log.h) read back, with its steps as columns.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

// One entry per line of kind "train", in the order of the steps. A number that is null or missing
// is NaN.
struct StepColumns {
  std::vector<int64_t> step, tokens;  // step rises, tokens do not fall
  std::vector<double> elapsed_s;      // does not fall
  std::vector<double> loss, lr, grad_norm, tokens_per_s, mfu;

  size_t rows() const { return step.size(); }
};

struct LoggedLoss {
  int64_t step = 0;
  double loss = 0.;  // NaN if null
};

struct LoggedSample {
  int64_t step = 0;
  std::string text;
};

struct RunLog {
  // The last line of kind "run", as JSON, since a resumed run writes another; an empty object if
  // there is none.
  std::string run = "{}";
  int64_t parts = 0;  // the number of lines of kind "run"
  StepColumns steps;
  std::vector<LoggedLoss> validations;
  std::vector<LoggedSample> samples;
  std::string note;  // a sentence about a torn last line; empty if there is none
};

// `source` names the text in messages. A torn last line, which a kill may leave, is noted. Lines of
// unknown kinds are skipped. Throws Error (kInput) with the number of the line that is wrong.
RunLog read_run_log(std::string_view text, const std::string& source);

}  // namespace weft
