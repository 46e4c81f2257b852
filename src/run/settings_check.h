// Checks that the settings of a run, its data and the number of its ranks fit together.
#pragma once

#include "run/dataset.h"
#include "run/train_settings.h"

namespace weft {

// Takes no memory and writes nothing. Throws Error (kInput) that names the flag to change.
void check_settings(const TrainSettings& settings, const Dataset& dataset);

}  // namespace weft
