#include "infer/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "base/math.h"
#include "step/loss_program.h"

namespace weft {

BatchEvaluator::BatchEvaluator(const Program& program, Vector<int32_t> inputs,
                               Vector<int32_t> targets, Vector<const float> losses,
                               const Executor& executor)
    : inputs_(inputs), targets_(targets), losses_(losses), prepared_(executor.prepare(program)) {}

void BatchEvaluator::fill(const TokenSource& source, const TokenWindow& window, int64_t row,
                          int64_t T) {
  source.copy(window.begin, inputs_.subspan(size_t(row * T), size_t(T)));
  source.copy(window.begin + 1, targets_.subspan(size_t(row * T), size_t(T)));
}

Evaluation BatchEvaluator::run(const TokenSource& source, const EvaluationPlan& plan,
                               const EvaluationProgress& progress) {
  const int64_t B = plan.B, T = plan.T;
  const int64_t rank = plan.communicator != nullptr ? plan.communicator->rank() : 0;
  const int64_t ranks = plan.communicator != nullptr ? plan.communicator->size() : 1;
  source.samples(T);  // throws if the source is shorter than a window
  const TokenWindows windows(source.tokens(), T, plan.stride);
  const int64_t all_batches = ceil_div(windows.count(), B);
  const int64_t batches =
      plan.max_batches > 0 ? std::min(plan.max_batches, all_batches) : all_batches;
  std::vector<double> sums(static_cast<size_t>(batches), 0.);
  Evaluation result;
  for (int64_t i = 0; i < batches; ++i) {
    const int64_t rows = std::min(B, windows.count() - i * B);
    for (int64_t b = 0; b < rows; ++b) result.tokens += T - windows[i * B + b].first_scored;
    if (i % ranks == rank) sums[size_t(i)] = batch_loss(source, windows, i * B, rows, T);
    if (progress) progress(i + 1, batches);
  }
  // A batch's loss is zero on all ranks but one, so the sum over the ranks is exact.
  if (ranks > 1) plan.communicator->all_reduce(sums, Reduction::kSum);
  result.loss = std::accumulate(sums.begin(), sums.end(), 0.) / double(result.tokens);
  return result;
}

double BatchEvaluator::batch_loss(const TokenSource& source, const TokenWindows& windows,
                                  int64_t first, int64_t rows, int64_t T) {
  const int64_t B = int64_t(inputs_.size()) / T;
  // The last batch may be short: copies of its first window fill it, and are not counted.
  for (int64_t b = 0; b < B; ++b) fill(source, windows[first + (b < rows ? b : 0)], b, T);
  prepared_->run();
  double sum = 0.;
  for (int64_t b = 0; b < rows; ++b) {
    const int64_t scored = windows[first + b].first_scored;
    for (const float loss : losses_.subspan(size_t(b * T + scored), size_t(T - scored))) {
      sum += double(loss);
    }
  }
  return sum;
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

Evaluation evaluate(const ParameterView& weights, const TokenSource& source,
                    const EvaluationPlan& plan, const Executor& executor, GemmBackend backend,
                    const EvaluationProgress& progress) {
  check_tokens(source, weights.table->config(), plan.T);
  if (plan.stride < 1 || plan.stride > plan.T) {
    throw input_error("eval", fmt::format("--stride {} is not in [1, {}]", plan.stride, plan.T),
                      "a window advances by at most its own --seq-len");
  }
  const LossProgram loss(weights, plan.B, plan.T, backend);
  BatchEvaluator evaluator(loss.program(), loss.inputs(), loss.targets(), loss.losses(), executor);
  return evaluator.run(source, plan, progress);
}

}  // namespace weft
