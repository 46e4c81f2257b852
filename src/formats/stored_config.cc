#include "formats/stored_config.h"

#include "base/error.h"

namespace weft {

void validate_stored(const Config& config, const std::string& where, const std::string& source) {
  try {
    validate(config);
  } catch (const Error& e) {
    throw input_error(where, source + " describes a model that cannot be: " + e.message());
  }
}

}  // namespace weft
