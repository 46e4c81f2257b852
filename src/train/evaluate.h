// Evaluate: the mean loss of a model over a token source.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "data/token_source.h"
#include "exec/executor.h"
#include "kernels/gemm.h"
#include "model/parameters.h"

namespace weft {

struct Evaluation {
  double loss = 0.;    // mean cross-entropy per token, natural logarithm
  int64_t tokens = 0;  // that were predicted
};

// Runs an evaluation program (forward and loss of one batch) over a source, batch by batch.
// REQUIRES: the program and its memory outlive this.
class BatchEvaluator {
 public:
  BatchEvaluator(const Program& program, Vector<int32_t> inputs, Vector<int32_t> targets,
                 Vector<const float> losses, const Executor& executor);

  // Up to max_batches batches of B sequences of T tokens, in order (0: all samples).
  // progress(done, total) is called after each batch; may be empty.
  Evaluation run(const TokenSource& source, int64_t B, int64_t T, int64_t max_batches,
                 const std::function<void(int64_t, int64_t)>& progress = {});

 private:
  Vector<int32_t> inputs_, targets_;
  Vector<const float> losses_;
  std::unique_ptr<PreparedProgram> prepared_;
};

// Throws Error (kInput): T above the model's, a source shorter than a sequence, an id >= V.
void check_tokens(const TokenSource& source, const Config& config, int64_t T);

// Evaluates a model on its own, with memory of its own. Checks the tokens first.
Evaluation evaluate(const ParameterView& weights, const TokenSource& source, int64_t B, int64_t T,
                    int64_t max_batches, const Executor& executor, GemmBackend backend,
                    const std::function<void(int64_t, int64_t)>& progress = {});

}  // namespace weft
