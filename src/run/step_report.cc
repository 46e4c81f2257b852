#include "run/step_report.h"

#include <nlohmann/json.hpp>

#include "model/model_flops.h"

namespace weft {

using nlohmann::ordered_json;

ordered_json run_record(const TrainSettings& settings, const RunReport& run, int ranks,
                        const Executor& executor) {
  ordered_json record = {{"kind", "run"},
                         {"model", to_string(settings.model)},
                         {"parameters", run.parameters},
                         {"first_step", run.first_step},
                         {"steps", run.steps},
                         {"tokens_per_step", run.tokens_per_step},
                         {"ranks", ranks},
                         {"threads", executor.threads()},
                         {"executor", executor.name()},
                         {"precision", precision_name(settings.step.precision)},
                         {"peak_flops", settings.peak_flops},
                         {"mfu_convention", kMfuConvention}};
  record.update(ordered_json::parse(settings.output.run_json));
  return record;
}

ordered_json record_of(const StepReport& step) {
  ordered_json record = {{"kind", "train"},
                         {"step", step.step},
                         {"loss", step.loss},
                         {"lr", step.lr},
                         {"grad_norm", step.grad_norm},
                         {"tokens", step.tokens},
                         {"elapsed_s", step.elapsed_s},
                         {"step_ms", step.step_ms},
                         {"tokens_per_s", step.tokens_per_s},
                         {"mfu", step.mfu}};
  if (step.communication) {
    record["bytes_sent"] = step.communication->bytes_sent;
    record["comm_ms"] = step.communication->comm_ms;
    record["hidden_comm_ms"] = step.communication->hidden_comm_ms;
  }
  return record;
}

}  // namespace weft
