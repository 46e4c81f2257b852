#include "run/sample.h"

#include <vector>

#include "infer/generator.h"

namespace weft {
namespace {

constexpr int64_t kTokens = 128;
constexpr double kTemperature = 0.8;

}  // namespace

std::string write_sample(const ParameterView& weights, const Tokenizer& tokenizer, uint64_t seed,
                         const Executor& executor, GemmBackend gemm) {
  Generator generator(weights, executor, gemm);
  const SamplingSettings sampling{.temperature = kTemperature, .seed = seed};
  // A text corpus need not hold the end-of-text token; a new line starts a sample as well.
  const std::vector<Token> newline = tokenizer.encode("\n");
  const int32_t end = tokenizer.end_of_text();
  Utf8Stream stream;
  std::string text;
  generate(generator, {newline.begin(), newline.end()}, kTokens, sampling, [&](int32_t token) {
    // A model may have a larger vocabulary than its tokenizer.
    if (token == end || token >= tokenizer.vocabulary_size()) return false;
    text += stream.push(tokenizer.decode(Token(token)));
    return true;
  });
  return text + stream.finish();
}

}  // namespace weft
