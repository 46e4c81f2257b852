// Evaluate: the mean loss of a model over a token source.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "comm/communicator.h"
#include "data/token_source.h"
#include "data/token_windows.h"
#include "exec/executor.h"
#include "kernels/gemm.h"
#include "model/parameters.h"

namespace weft {

struct Evaluation {
  double loss = 0.;    // mean cross-entropy per token, natural logarithm
  int64_t tokens = 0;  // predicted, each of them once
};

// Evaluation takes batches of B windows of T tokens (see TokenWindows), in the order of the source.
// With stride = T a token's context begins with its window, so that the loss is cheap and rises for
// the first tokens of each. A smaller stride gives every token at least T - stride tokens of
// context at T / stride times the cost: perplexity as it is defined for models of fixed length.
struct EvaluationPlan {
  int64_t B = 1;
  int64_t T = 1;
  int64_t stride = 1;
  int64_t max_batches = 0;  // 0: all

  Communicator* communicator = nullptr;  // its ranks share the batches; null: one rank
};

// progress(done, total) is called after each batch; may be empty.
using EvaluationProgress = std::function<void(int64_t, int64_t)>;

// Runs an evaluation program (forward and loss of one batch) over a source, batch by batch.
// REQUIRES: the program and its memory outlive this.
class BatchEvaluator {
 public:
  BatchEvaluator(const Program& program, Vector<int32_t> inputs, Vector<int32_t> targets,
                 Vector<const float> losses, const Executor& executor);

  // The result is the same on every rank, and for any number of ranks.
  // REQUIRES: B and T are the program's; 1 <= stride <= T.
  Evaluation run(const TokenSource& source, const EvaluationPlan& plan,
                 const EvaluationProgress& progress = {});

 private:
  void fill(const TokenSource& source, const TokenWindow& window, int64_t row, int64_t T);
  // The summed loss of `rows` windows from `first` on.
  double batch_loss(const TokenSource& source, const TokenWindows& windows, int64_t first,
                    int64_t rows, int64_t T);

  Vector<int32_t> inputs_, targets_;
  Vector<const float> losses_;
  std::unique_ptr<PreparedProgram> prepared_;
};

// Throws Error (kInput): T above the model's, a source shorter than a sequence, an id >= V.
void check_tokens(const TokenSource& source, const Config& config, int64_t T);

// Evaluates a model with memory of its own. Throws Error (kInput) as check_tokens does,
// and for a stride outside [1, T].
Evaluation evaluate(const ParameterView& weights, const TokenSource& source,
                    const EvaluationPlan& plan, const Executor& executor, GemmBackend backend,
                    const EvaluationProgress& progress = {});

}  // namespace weft
