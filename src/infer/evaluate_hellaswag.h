// HellaSwag evaluation: the share of examples in which the model finds the right completion
// likeliest.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "data/hellaswag.h"
#include "exec/executor.h"
#include "infer/evaluate.h"
#include "kernels/gemm.h"
#include "model/parameters.h"

namespace weft {

// The completions' losses, summed over their tokens (the context only conditions them): minus the
// log-likelihood, natural logarithm.
using CompletionLosses = std::array<double, HellaSwagExample::kCompletions>;

struct HellaSwagScore {
  double accuracy = 0.;       // the likeliest completion is right
  double accuracy_norm = 0.;  // the completion that is likeliest per token is right
  int64_t examples = 0;
  int64_t truncated = 0;  // examples that lost tokens at the start of their context
};

struct HellaSwagPlan {
  int64_t B = 1;      // completions at a time
  int64_t T = 1;      // the most tokens of context and completion together
  int64_t limit = 0;  // evaluate this many examples; 0: all
};

// The losses of the first examples. An example longer than T tokens and a target loses the start of
// its context, as in EleutherAI's lm-evaluation-harness (llm.c refuses it).
// Throws Error (kInput): T above the model's, an id >= V, a completion longer than T.
std::vector<CompletionLosses> hellaswag_losses(const ParameterView& weights, const HellaSwag& data,
                                               const HellaSwagPlan& plan, const Executor& executor,
                                               GemmBackend backend,
                                               const EvaluationProgress& progress = {});

// accuracy compares the sums, as lm-evaluation-harness's `acc` does. accuracy_norm divides them by
// the completions' tokens, as llm.c does (0.2955 for GPT-2 124M by its table);
// lm-evaluation-harness divides its `acc_norm` by their characters and reports other figures. The
// first of equal losses counts; a NaN is never right. REQUIRES: losses are those of the first
// examples of data.
HellaSwagScore hellaswag_score(const HellaSwag& data, const std::vector<CompletionLosses>& losses,
                               int64_t T);

}  // namespace weft
