// Config numbers that come from a model file.
#pragma once

#include <string>

#include "model/config.h"

namespace weft {

// validate(config) whose Error (kInput) says at `where` that `source` is to blame.
void validate_stored(const Config& config, const std::string& where, const std::string& source);

}  // namespace weft
