// A sample: a short text that a model in training writes, to show what it has learned.
#pragma once

#include <cstdint>
#include <string>

#include "data/tokenizer.h"
#include "exec/executor.h"
#include "kernels/gemm.h"
#include "model/parameters.h"

namespace weft {

// The same weights and seed write the same text.
std::string write_sample(const ParameterView& weights, const Tokenizer& tokenizer, uint64_t seed,
                         const Executor& executor, GemmBackend gemm);

}  // namespace weft
