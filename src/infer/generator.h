// Generator: text from a model, one token at a time, with a key/value cache.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "exec/executor.h"
#include "kernels/gemm.h"
#include "model/bf16_weights.h"
#include "model/parameters.h"

namespace weft {

struct SamplingSettings {
  double temperature = 1.;  // 0: greedy
  int64_t top_k = 0;        // keep the k most likely tokens; 0: all
  double top_p = 1.;        // keep the smallest set whose probability reaches this
  uint64_t seed = 42;
};

// Throws Error (kInput) for a negative temperature, a negative top_k, or top_p outside (0, 1].
void validate(const SamplingSettings& settings);

// The token drawn for (seed, index) from softmax(logits / temperature), restricted to top_k and
// top_p. logits (V). Equal logits: the lower id counts as more likely.
int32_t sample_token(Vector<const float> logits, const SamplingSettings& settings, uint64_t index);

// One sequence in progress. Not thread-safe.
class Generator {
 public:
  // bf16: the same matrices once more, which decoding then reads; half of the bytes, the same
  // results to the bit. REQUIRES: all outlive the generator.
  Generator(const ParameterView& weights, const Executor& executor,
            GemmBackend backend = GemmBackend::kAuto, const Bf16Weights* bf16 = nullptr);
  ~Generator();

  // Begins a new sequence.
  void reset();

  // Appends tokens, whole blocks of them at a time, and returns the logits (V) that follow the last
  // one. When the cache reaches T positions, the newest half is kept and read in again.
  // Throws Error (kInput) for no tokens or an id >= V.
  Vector<const float> feed(Vector<const int32_t> tokens);

 private:
  class Decoder;
  std::unique_ptr<Decoder> decoder_;
};

// Feeds the prompt, then draws up to n tokens and gives each to emit, until emit returns false.
// REQUIRES: the prompt is not empty.
void generate(Generator& generator, const std::vector<int32_t>& prompt, int64_t n,
              const SamplingSettings& settings, const std::function<bool(int32_t)>& emit);

}  // namespace weft
