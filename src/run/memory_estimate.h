// The memory that a run takes, compared with what the machine has: before any page of it is
// touched, because a process that takes too much is killed without a message.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "model/config.h"
#include "step/training_step.h"

namespace weft {

// Advice where memory is short: for the state of a model, and for its steps.
inline constexpr const char* kSmallerHint = "use a smaller --model, --batch-size or --seq-len";
inline constexpr const char* kRecomputeHint =
    "use --recompute block, or a smaller --model, --batch-size or --seq-len";

// All memory of this rank, without the optimizer's state that other ranks keep.
size_t run_bytes(const TrainingState& state, const TrainingStep& step);

// Throws Error (kFailure) with the hint if the machine does not have `bytes`; notes that they only
// fit with swap.
void check_memory(size_t bytes, const Config& model, const char* hint,
                  const std::function<void(const std::string&)>& note);

}  // namespace weft
