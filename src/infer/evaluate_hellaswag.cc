#include "infer/evaluate_hellaswag.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/math.h"
#include "step/loss_program.h"

namespace weft {
namespace {

constexpr int kCompletions = HellaSwagExample::kCompletions;
// Programs exist for multiples of this length: few of them, and little padding.
constexpr int64_t kLengthStep = 32;

// One sequence of a batch: a completion after its context.
struct Row {
  size_t example;
  int completion;
  Vector<const uint16_t> context;  // as much as fits
  Vector<const uint16_t> tokens;   // of the completion

  // The last token is only predicted.
  int64_t length() const { return std::ssize(context) + std::ssize(tokens) - 1; }
  int64_t first_scored() const { return std::ssize(context) - 1; }
  uint16_t token(size_t i) const {
    return i < context.size() ? context[i] : tokens[i - context.size()];
  }
};

int64_t context_room(Vector<const uint16_t> completion, int64_t T) {
  return T + 1 - std::ssize(completion);
}

Row make_row(const HellaSwagExample& example, size_t index, int completion, int64_t T) {
  const Vector<const uint16_t> tokens = example.completions[size_t(completion)];
  const int64_t room = context_room(tokens, T);
  if (room < 1) {
    throw input_error("hellaswag",
                      fmt::format("completion {} of example {} has {} tokens, more than T = {}",
                                  completion, index, tokens.size(), T),
                      "raise --seq-len, or use a model with a larger T");
  }
  const size_t kept = std::min(example.context.size(), size_t(room));
  return {index, completion, example.context.last(kept), tokens};
}

// The longest first, so that the sequences of a batch have about the same length.
std::vector<Row> rows_by_length(const HellaSwag& data, size_t examples, int64_t T) {
  std::vector<Row> rows;
  for (size_t i = 0; i < examples; ++i) {
    for (int c = 0; c < kCompletions; ++c) rows.push_back(make_row(data.examples()[i], i, c, T));
  }
  std::ranges::stable_sort(rows, std::ranges::greater{}, &Row::length);
  return rows;
}

// A program for batches of B rows of at most T tokens.
class RowBatch {
 public:
  RowBatch(const ParameterView& weights, int64_t B, int64_t T, const Executor& executor,
           GemmBackend backend)
      : T_(T), loss_(weights, B, T, backend), prepared_(executor.prepare(loss_.program())) {}

  int64_t T() const { return T_; }

  // Adds up the losses of each row's completion. REQUIRES: at most B rows of at most T tokens.
  void run(Vector<const Row> rows, std::vector<CompletionLosses>& losses) {
    // Token 0 fills the rest of each row, and the rows that a short batch lacks.
    std::ranges::fill(loss_.inputs(), 0);
    std::ranges::fill(loss_.targets(), 0);
    for (size_t b = 0; b < rows.size(); ++b) fill(rows[b], b * size_t(T_));
    prepared_->run();
    for (size_t b = 0; b < rows.size(); ++b) {
      losses[rows[b].example][size_t(rows[b].completion)] = sum(rows[b], b * size_t(T_));
    }
  }

 private:
  void fill(const Row& row, size_t first) const {
    for (size_t t = 0; t < size_t(row.length()); ++t) {
      loss_.inputs()[first + t] = row.token(t);
      loss_.targets()[first + t] = row.token(t + 1);
    }
  }

  double sum(const Row& row, size_t first) const {
    double sum = 0.;
    for (const float loss :
         loss_.losses().subspan(first + size_t(row.first_scored()), row.tokens.size())) {
      sum += double(loss);
    }
    return sum;
  }

  int64_t T_;
  LossProgram loss_;
  std::unique_ptr<PreparedProgram> prepared_;
};

size_t examples_of(const HellaSwag& data, int64_t limit) {
  const size_t all = data.examples().size();
  return limit > 0 ? std::min(all, size_t(limit)) : all;
}

void check(const HellaSwag& data, size_t examples, const Config& config, int64_t T) {
  if (T < 1 || T > config.T) {
    throw input_error("hellaswag", fmt::format("--seq-len {} is not in [1, {}]", T, config.T),
                      "the model has no position beyond its T");
  }
  const int64_t largest = data.largest_token(examples);
  if (largest >= config.V) {
    throw input_error("hellaswag",
                      fmt::format("the examples hold token id {}, and V is {}", largest, config.V),
                      "the file is for another vocabulary than the model's");
  }
}

bool is_truncated(const HellaSwagExample& example, int64_t T) {
  return std::ranges::any_of(example.completions, [&](const Vector<const uint16_t>& completion) {
    return std::ssize(example.context) > context_room(completion, T);
  });
}

// Whether the label is the first completion of the lowest loss.
bool is_right(const CompletionLosses& losses, int label) {
  for (int c = 0; c < kCompletions; ++c) {
    const double own = losses[size_t(label)], other = losses[size_t(c)];
    if (!(c < label ? own < other : own <= other)) return false;
  }
  return true;
}

}  // namespace

std::vector<CompletionLosses> hellaswag_losses(const ParameterView& weights, const HellaSwag& data,
                                               const HellaSwagPlan& plan, const Executor& executor,
                                               GemmBackend backend,
                                               const EvaluationProgress& progress) {
  const size_t examples = examples_of(data, plan.limit);
  check(data, examples, weights.table->config(), plan.T);
  const std::vector<Row> rows = rows_by_length(data, examples, plan.T);
  const auto batches = ceil_div(std::ssize(rows), plan.B);
  std::vector<CompletionLosses> losses(examples);
  std::optional<RowBatch> batch;
  for (int64_t i = 0; i < batches; ++i) {
    const auto first = size_t(i * plan.B);
    const Vector<const Row> some =
        Vector<const Row>(rows).subspan(first, std::min(size_t(plan.B), rows.size() - first));
    const int64_t T = std::min(round_up(some.front().length(), kLengthStep), plan.T);
    if (!batch || batch->T() != T) batch.emplace(weights, plan.B, T, executor, backend);
    batch->run(some, losses);
    if (progress) progress(i + 1, batches);
  }
  return losses;
}

HellaSwagScore hellaswag_score(const HellaSwag& data, const std::vector<CompletionLosses>& losses,
                               int64_t T) {
  HellaSwagScore score;
  int64_t right = 0, right_norm = 0;
  for (size_t i = 0; i < losses.size(); ++i) {
    const HellaSwagExample& example = data.examples()[i];
    CompletionLosses mean = losses[i];
    for (size_t c = 0; c < mean.size(); ++c) mean[c] /= double(example.completions[c].size());
    right += is_right(losses[i], example.label);
    right_norm += is_right(mean, example.label);
    score.truncated += is_truncated(example, T);
  }
  score.examples = std::ssize(losses);
  score.accuracy = double(right) / double(score.examples);
  score.accuracy_norm = double(right_norm) / double(score.examples);
  return score;
}

}  // namespace weft
