#include "step/loss_program.h"

#include "base/memory.h"
#include "model/gpt2.h"

namespace weft {

LossProgram::LossProgram(const ParameterView& weights, int64_t B, int64_t T, GemmBackend backend)
    : tiling_(choose_tiling(weights.table->config(), B, T)),
      weights_(tiles_, "weights/", weights, tiling_),
      activations_(arena_, tiles_, weights.table->config(), tiling_, Kept::kNothing),
      program_("evaluation", tiles_) {
  const StepParts parts{{weights.table->config(), tiling_, backend, weights_}, activations_};
  append_forward(program_, parts);
  append_loss(program_, parts, {.tokens_per_step = tiling_.n()});
  require_memory(arena_.bytes(), "evaluation", "use a smaller --batch-size or --seq-len");
}

}  // namespace weft
