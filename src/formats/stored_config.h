// Validation of a Config that comes from a model file.
#pragma once

#include <string>

#include "model/config.h"

namespace weft {

// Like validate(config), with an Error (kInput) that begins with `where` and blames `source`.
void validate_stored(const Config& config, const std::string& where, const std::string& source);

}  // namespace weft
