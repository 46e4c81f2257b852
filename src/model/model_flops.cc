#include "model/model_flops.h"

namespace weft {

double flops_per_token(const ParameterTable& table, int64_t T) {
  const Config& c = table.config();
  return 6. * double(table.count()) + 6. * double(c.L) * double(c.C) * double(T);
}

}  // namespace weft
