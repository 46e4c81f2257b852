#include "train/evaluate.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"
#include "data/batches.h"
#include "model/classifier.h"
#include "model/forward.h"

namespace weft {

BatchEvaluator::BatchEvaluator(const Program& program, Vector<int32_t> inputs,
                               Vector<int32_t> targets, Vector<const float> losses,
                               const Executor& executor)
    : inputs_(inputs), targets_(targets), losses_(losses), prepared_(executor.prepare(program)) {}

Evaluation BatchEvaluator::run(const TokenSource& source, int64_t B, int64_t T, int64_t max_batches,
                               const std::function<void(int64_t, int64_t)>& progress) {
  const int64_t samples = source.samples(T);
  const int64_t all_batches = ceil_div(samples, B);
  const int64_t batches = max_batches > 0 ? std::min(max_batches, all_batches) : all_batches;
  double sum = 0.;
  Evaluation result;
  for (int64_t i = 0; i < batches; ++i) {
    const int64_t rows = std::min(B, samples - i * B);
    for (int64_t b = 0; b < B; ++b) {
      // The last batch may be short: it is filled with its first sequence, which is not counted.
      const int64_t sample = i * B + (b < rows ? b : 0);
      source.sample(sample, inputs_.subspan(size_t(b * T), size_t(T)),
                    targets_.subspan(size_t(b * T), size_t(T)));
    }
    prepared_->run();
    for (float loss : losses_.first(size_t(rows * T))) sum += double(loss);
    result.tokens += rows * T;
    if (progress) progress(i + 1, batches);
  }
  result.loss = sum / double(result.tokens);
  return result;
}

void check_tokens(const TokenSource& source, const Config& config, int64_t T) {
  if (T < 1 || T > config.T) {
    throw input_error("data", fmt::format("--seq-len {} is not in [1, {}]", T, config.T),
                      "the model has no position beyond its T");
  }
  source.samples(T);  // throws if the source is shorter than a sequence
  const int64_t largest = source.largest_token();
  if (largest >= config.V) {
    throw input_error("data",
                      fmt::format("the data holds token id {}, and V is {}", largest, config.V),
                      "the data was tokenized for another vocabulary: set V in --model, or "
                      "tokenize again");
  }
}

Evaluation evaluate(const ParameterView& weights, const TokenSource& source, int64_t B, int64_t T,
                    int64_t max_batches, const Executor& executor, GemmBackend backend,
                    const std::function<void(int64_t, int64_t)>& progress) {
  const Config& config = weights.table->config();
  check_tokens(source, config, T);
  const Tiling tiling = choose_tiling(config, B, T);
  Arena arena;
  TileTable tiles;
  const TiledParameters tiled_weights(tiles, "weights/", weights, tiling);
  const Activations activations(arena, tiles, config, tiling);
  Program program("evaluation", tiles);
  const StepParts parts{config, tiling, backend, tiled_weights, activations};
  append_forward(program, parts);
  append_loss(program, parts, {.tokens_per_step = tiling.n()});
  require_memory(arena.bytes(), "evaluation", "use a smaller --batch-size or --seq-len");
  const Range all{0, tiling.n()};
  BatchEvaluator evaluator(program, activations.inputs.column(all), activations.targets.column(all),
                           activations.losses.column(all), executor);
  return evaluator.run(source, B, T, max_batches, progress);
}

}  // namespace weft
