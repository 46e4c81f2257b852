#include "run/divergence.h"

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "base/error.h"
#include "kernels/adamw.h"
#include "run/checkpoint.h"

namespace weft {
namespace {

std::string advice(const std::filesystem::path& run_directory) {
  const auto good = newest_good_checkpoint(run_directory, [](const std::string&) {});
  return fmt::format(
      "{}; lower --lr, lengthen --warmup, or check the data",
      good ? "the last good checkpoint is " + good->path.string() : "there is no checkpoint yet");
}

}  // namespace

void refuse_diverged_step(int64_t step, double loss, double grad_norm,
                          const std::filesystem::path& run_directory) {
  if (std::isfinite(loss) && std::isfinite(grad_norm)) return;
  throw failure("train",
                fmt::format("step {}: loss {}, gradient norm {}; the weights of this step are "
                            "not saved",
                            step, loss, grad_norm),
                advice(run_directory))
      .on_all_ranks();
}

void refuse_diverged_weights(int64_t step, const ParameterView& weights,
                             const std::filesystem::path& run_directory) {
  if (std::isfinite(sum_of_squares(weights.data))) return;
  throw failure("train",
                fmt::format("step {}: the update left weights that are not finite, and they are "
                            "not saved",
                            step),
                advice(run_directory));
}

}  // namespace weft
