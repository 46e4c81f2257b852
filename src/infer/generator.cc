#include "infer/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "base/rng.h"
#include "kernels/attention.h"
#include "kernels/kernel_costs.h"
#include "kernels/linear.h"
#include "kernels/transpose.h"
#include "model/gpt2.h"

namespace weft {

void validate(const SamplingSettings& settings) {
  if (!(settings.temperature >= 0.) || !std::isfinite(settings.temperature)) {
    throw input_error("generate", "--temperature must be 0 (greedy) or positive");
  }
  if (settings.top_k < 0) throw input_error("generate", "--top-k must be 0 (all) or positive");
  if (!(settings.top_p > 0. && settings.top_p <= 1.)) {
    throw input_error("generate", "--top-p must be in (0, 1]");
  }
}

int32_t sample_token(Vector<const float> logits, const SamplingSettings& settings, uint64_t index) {
  std::vector<int32_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  // A NaN has no place in an order, so it counts as impossible.
  const auto logit = [&](int32_t id) {
    const float x = logits[size_t(id)];
    return std::isnan(x) ? -std::numeric_limits<float>::infinity() : x;
  };
  const auto more_likely = [&](int32_t a, int32_t b) {
    const float x = logit(a), y = logit(b);
    return x > y || (x == y && a < b);
  };
  if (settings.temperature == 0.) return *std::min_element(ids.begin(), ids.end(), more_likely);

  const bool ordered = settings.top_k > 0 || settings.top_p < 1.;
  if (settings.top_k > 0 && settings.top_k < int64_t(ids.size())) {
    std::partial_sort(ids.begin(), ids.begin() + settings.top_k, ids.end(), more_likely);
    ids.resize(size_t(settings.top_k));
  } else if (ordered) {
    std::sort(ids.begin(), ids.end(), more_likely);
  }
  const double largest = logit(*std::min_element(ids.begin(), ids.end(), more_likely));
  std::vector<double> weights;
  weights.reserve(ids.size());
  for (int32_t id : ids) {
    weights.push_back(std::exp((double(logit(id)) - largest) / settings.temperature));
  }
  // top_p keeps the first tokens whose probabilities together reach it; at least one.
  double total = std::accumulate(weights.begin(), weights.end(), 0.);
  if (settings.top_p < 1.) {
    double kept = 0.;
    size_t n = 0;
    while (n < weights.size() && kept < settings.top_p * total) kept += weights[n++];
    weights.resize(n);
    total = kept;
  }
  double point = random_uniform(settings.seed, 0, index) * total;
  size_t chosen = 0;
  while (chosen + 1 < weights.size() && point >= weights[chosen]) point -= weights[chosen++];
  return ids[chosen];
}

namespace {

// The number of prompt tokens that one program run reads.
constexpr int64_t kBlock = 64;

// The keys and values of every position so far, which both programs of a generator share.
struct Cache {
  std::vector<Matrix<float>> keys, values;  // per layer, (T, C)
  Vector<float> logits;                     // (Vp) of the last token
  int64_t first_position = 0;               // of the tokens that a run reads
  int64_t new_tokens = 0;
};

// A program that reads up to `rows` tokens. With fewer tokens, the other rows compute on stale
// values, which reach neither the cache nor the logits.
class Pass {
 public:
  Pass(Arena& arena, Cache& cache, const ParameterView& weights, int64_t rows,
       const Executor& executor, GemmBackend backend, const Bf16Weights* bf16)
      : config_(weights.table->config()),
        tiling_(choose_tiling(config_, 1, rows)),
        backend_(backend),
        weights_(tiles_, "weights/", weights, tiling_),
        activations_(arena, tiles_, config_, tiling_, Kept::kNothing),
        program_("decode", tiles_),
        cache_(cache) {
    if (bf16 != nullptr) add_bf16_weights(*bf16);
    const StepParts parts{{config_, tiling_, backend, weights_, bf16 != nullptr ? &bf16_ : nullptr},
                          activations_};
    append_forward(program_, parts,
                   {.heads = [this](Program&, int64_t layer) { append_cached_attention(layer); }});
    parts.linear_weight(Tensor::wte, 0).visit([&](const auto& wte) { append_last_logits(wte); });
    prepared_ = executor.prepare(program_);
  }

  int64_t rows() const { return tiling_.n(); }

  // tokens (at most rows()) follow the cache's first `position` tokens.
  void run(Vector<const int32_t> tokens, int64_t position) {
    for (size_t i = 0; i < tokens.size(); ++i) {
      activations_.embedding.inputs.matrix().at(int64_t(i), 0) = tokens[i];
      activations_.embedding.positions.matrix().at(int64_t(i), 0) = int32_t(position + int64_t(i));
    }
    cache_.first_position = position;
    cache_.new_tokens = int64_t(tokens.size());
    prepared_->run();
  }

 private:
  // In the tiles of the fp32 weights.
  void add_bf16_weights(const Bf16Weights& bf16) {
    for (const Parameter& p : weights_.values().table->all()) {
      bf16_.emplace_back(tiles_, "bf16_weights/" + p.name, bf16.at(bf16_.size()),
                         tiling_.parameter_rows(p), tiling_.parameter_columns(p));
    }
  }

  // New keys and values enter the cache, then the new queries attend to all of it.
  void append_cached_attention(int64_t layer) {
    const AttentionActivations& a = activations_.blocks[size_t(layer)].attention;
    const int64_t C = config_.C, HS = config_.HS(), width = tiling_.heads * HS, n = rows();
    const Tiled<float> keys(tiles_, fmt::format("block{}/keys", layer), cache_.keys[size_t(layer)],
                            config_.T, width);
    const Tiled<float> values(tiles_, fmt::format("block{}/values", layer),
                              cache_.values[size_t(layer)], config_.T, width);
    const Tiled<float>&qkv = a.qkv.as<float>(), &atty = a.atty.as<float>();
    for (const Range& q : keys.col_ranges()) {
      const Range k{C + q.begin, C + q.end}, v{2 * C + q.begin, 2 * C + q.end}, all{0, n};
      program_.add(
          {.name = {.kind = "attention/cached",
                    .layer = layer,
                    .tile = fmt::format("h{}", q.begin / HS)},
           .phase = Phase::kForward,
           .reads = tiles_of({qkv.over(all, q), qkv.over(all, k), qkv.over(all, v)}),
           .writes = tiles_of({atty.over(all, q), keys.over_cols(q), values.over_cols(q)}),
           .run =
               [cache = &cache_, q, C, HS, qkv = qkv.matrix(), out = atty.matrix(),
                keys = keys.matrix(), values = values.matrix(), T = config_.T](std::byte* scratch) {
                 const int64_t p0 = cache->first_position, n = cache->new_tokens;
                 const Vector<float> scores(reinterpret_cast<float*>(scratch), size_t(T));
                 copy(qkv.block(0, n, C + q.begin, q.size()), keys.block(p0, n, q.begin, q.size()));
                 copy(qkv.block(0, n, 2 * C + q.begin, q.size()),
                      values.block(p0, n, q.begin, q.size()));
                 for (int64_t c = q.begin; c < q.end; c += HS) {
                   attention_cached(qkv.block(0, n, c, HS), keys.col_block(c, HS),
                                    values.col_block(c, HS), p0, out.block(0, n, c, HS), scores);
                 }
               },
           .scratch_bytes = size_t(config_.T) * sizeof(float)});
    }
  }

  // logits = lnf of the last new token, times wte^T
  template <typename T>
  void append_last_logits(const Tiled<T>& wte) {
    const Tiled<float>& lnf = activations_.lnf.out.as<float>();
    const Tiled<float> logits(tiles_, "last_logits", {cache_.logits.data(), 1, config_.Vp()}, 1,
                              tiling_.vocabulary_columns);
    for (const Range& words : wte.row_ranges()) {
      const auto kernel = std::make_shared<const LinearForward<float>>(
          1, words.size(), config_.C, config_.C, config_.Vp(), backend_);
      program_.add({.name = {.kind = "classifier/last", .tile = fmt::format("v{}", words.begin)},
                    .phase = Phase::kForward,
                    .reads = tiles_of({lnf.all(), wte.over(words)}),
                    .writes = logits.over_cols(words),
                    .run =
                        [kernel, cache = &cache_, lnf = lnf.matrix(), W = wte.block(words),
                         y = logits.block({0, 1}, words)](std::byte* scratch) {
                          (*kernel)(lnf.row_block(cache->new_tokens - 1, 1), W, y, scratch);
                        },
                    .scratch_bytes = kernel->scratch_bytes(),
                    .flops = kernel_cost::matvec(double(words.size()), double(config_.C)).flops});
    }
  }

  Config config_;
  Tiling tiling_;
  GemmBackend backend_;
  TileTable tiles_;
  TiledParameters weights_;
  std::vector<Tiled<BFloat16>> bf16_;
  Activations activations_;
  Program program_;
  Cache& cache_;
  std::unique_ptr<PreparedProgram> prepared_;
};

}  // namespace

class Generator::Decoder {
 public:
  Decoder(const ParameterView& weights, const Executor& executor, GemmBackend backend,
          const Bf16Weights* bf16)
      : config_(weights.table->config()),
        cache_(allocate_cache(arena_, config_)),
        block_(arena_, cache_, weights, std::min(kBlock, config_.T), executor, backend, nullptr),
        single_(arena_, cache_, weights, 1, executor, backend, bf16) {}

  void reset() { history_.clear(); }

  Vector<const float> feed(Vector<const int32_t> tokens) {
    if (tokens.empty()) throw input_error("generate", "there is no token to start from");
    for (int32_t token : tokens) {
      if (token < 0 || token >= config_.V) {
        throw input_error("generate",
                          fmt::format("token id {} is not below V={}", token, config_.V),
                          "the tokenizer does not belong to this model");
      }
    }
    for (size_t done = 0; done < tokens.size();) {
      if (int64_t(history_.size()) == config_.T) keep_newest_half();
      const int64_t room = config_.T - int64_t(history_.size());
      const int64_t n = std::min({room, block_.rows(), int64_t(tokens.size() - done)});
      read_in(tokens.subspan(done, size_t(n)));
      done += size_t(n);
    }
    return cache_.logits.first(size_t(config_.V));
  }

 private:
  static Cache allocate_cache(Arena& arena, const Config& config) {
    Cache cache;
    for (int64_t layer = 0; layer < config.L; ++layer) {
      cache.keys.push_back(arena.matrix<float>(config.T, config.C));
      cache.values.push_back(arena.matrix<float>(config.T, config.C));
    }
    cache.logits = arena.vector<float>(config.Vp());
    return cache;
  }

  void read_in(Vector<const int32_t> tokens) {
    Pass& pass = tokens.size() == 1 ? single_ : block_;
    pass.run(tokens, int64_t(history_.size()));
    history_.insert(history_.end(), tokens.begin(), tokens.end());
  }

  // Positions are absolute in GPT-2: a cache cannot slide, so the kept tokens are read in again.
  void keep_newest_half() {
    const std::vector<int32_t> kept(history_.end() - config_.T / 2, history_.end());
    history_.clear();
    for (size_t done = 0; done < kept.size();) {
      const size_t n = std::min(size_t(block_.rows()), kept.size() - done);
      read_in(Vector<const int32_t>(kept).subspan(done, n));
      done += n;
    }
  }

  Config config_;
  Arena arena_;
  Cache cache_;
  std::vector<int32_t> history_;  // the tokens whose keys and values are cached
  Pass block_, single_;
};

Generator::Generator(const ParameterView& weights, const Executor& executor, GemmBackend backend,
                     const Bf16Weights* bf16)
    : decoder_(std::make_unique<Decoder>(weights, executor, backend, bf16)) {}

Generator::~Generator() = default;

void Generator::reset() { decoder_->reset(); }

Vector<const float> Generator::feed(Vector<const int32_t> tokens) { return decoder_->feed(tokens); }

void generate(Generator& generator, const std::vector<int32_t>& prompt, int64_t n,
              const SamplingSettings& settings, const std::function<bool(int32_t)>& emit) {
  Vector<const float> logits = generator.feed(prompt);
  for (int64_t i = 0; i < n; ++i) {
    const int32_t token = sample_token(logits, settings, uint64_t(i));
    if (!emit(token)) return;
    if (i + 1 < n) logits = generator.feed(Vector<const int32_t>(&token, 1));
  }
}

}  // namespace weft
