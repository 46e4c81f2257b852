// Decides whether a run may continue another from its checkpoint.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "run/run_state.h"

namespace weft {

// before: the state in the checkpoint; now: the identity of the run that resumes it; steps: its
// length. Throws Error (kInput) where the order of the data differs, or where the checkpoint is
// past the end. Notes a schedule, optimizer, batching or precision that differs: the user may
// change these.
void check_continues(const RunState& before, const RunState& now, int64_t steps,
                     const std::function<void(const std::string&)>& note);

}  // namespace weft
