// Ten AdamW steps of a tiny GPT-2 against PyTorch (tools/make_golden.py made the file).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "exec/executor.h"
#include "formats/safetensors.h"
#include "infer/generator.h"
#include "optim/adamw.h"
#include "step/training_step.h"
#include "support/thread_ranks.h"

namespace weft {
namespace {

// fp32 against fp64 over ten steps: rounding differs by about 1e-6 a step and AdamW divides small
// gradients by their own size. make_golden.py checks that PyTorch's own fp32 stays well below this.
constexpr double kTolerance = 2e-4;

template <typename T>
std::vector<T> read(const SafetensorsFile& file, const std::string& name) {
  const StoredTensor* tensor = file.find(name);
  if (tensor == nullptr) throw std::runtime_error("the golden file lacks " + name);
  std::vector<T> values(tensor->bytes.size() / sizeof(T));
  std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
  return values;
}

// The largest difference, relative to the largest expected element.
double relative_error(const float* actual, const std::vector<float>& expected) {
  double difference = 0., largest = 0.;
  for (size_t i = 0; i < expected.size(); ++i) {
    difference = std::max(difference, std::abs(double(actual[i]) - double(expected[i])));
    largest = std::max(largest, std::abs(double(expected[i])));
  }
  return difference / largest;
}

struct Golden {
  Golden()
      : file(WEFT_SOURCE_DIR "/tests/golden/tiny_gpt2.safetensors"),
        hyper(nlohmann::json::parse(file.metadata().at("hyper_parameters"))) {}

  int64_t number(const char* name) const { return hyper.at(name).get<int64_t>(); }
  Config config() const {
    return {number("L"), number("NH"), number("C"), number("maxT"), number("V")};
  }
  StepSettings settings(int64_t micro_steps) const {
    return {.B = number("B"),
            .T = number("T"),
            .micro_steps = micro_steps,
            .optimizer =
                std::make_shared<AdamW>(AdamWSettings{.beta1 = hyper.at("beta1"),
                                                      .beta2 = hyper.at("beta2"),
                                                      .eps = hyper.at("eps"),
                                                      .weight_decay = hyper.at("weight_decay")}),
            .grad_clip = hyper.at("grad_clip")};
  }
  // The first elements of a parameter: the file has no padded rows of wte.
  void load_weights(const TrainingState& state) const {
    for (const Parameter& p : state.table->all()) {
      const std::vector<float> values = read<float>(file, "initial/" + p.name);
      std::copy(values.begin(), values.end(), state.weights.vector(p).begin());
    }
  }

  SafetensorsFile file;
  nlohmann::json hyper;
};

// Token ids of one micro-batch out of a (steps, N, B, T) tensor.
void load_batch(const std::vector<int32_t>& all, int64_t number, Vector<int32_t> out) {
  std::copy_n(all.begin() + number * int64_t(out.size()), out.size(), out.begin());
}

class GoldenSteps : public testing::TestWithParam<int> {};

TEST_P(GoldenSteps, LossesNormsAndFinalWeightsMatchPyTorch) {
  const Golden golden;
  const int64_t N = GetParam();
  const std::string variant = "accum" + std::to_string(N) + "/";
  const auto tokens = read<int32_t>(golden.file, variant + "tokens");
  const auto targets = read<int32_t>(golden.file, variant + "targets");
  const auto losses = read<float>(golden.file, variant + "losses");
  const auto norms = read<float>(golden.file, variant + "grad_norms");
  const TrainingState state(golden.config());
  golden.load_weights(state);
  TrainingStep step(state, golden.settings(N));
  const auto executor = make_executor("sequential", 1);

  for (int64_t s = 0; s < golden.number("steps"); ++s) {
    step.set_step(s + 1, golden.hyper.at("lr"));
    for (int64_t k = 0; k < N; ++k) {
      load_batch(tokens, s * N + k, step.inputs());
      load_batch(targets, s * N + k, step.targets());
      executor->prepare(step.program(k))->run();
    }
    EXPECT_NEAR(step.loss() / losses[size_t(s)], 1., kTolerance) << "step " << s + 1;
    EXPECT_NEAR(step.grad_norm() / norms[size_t(s)], 1., kTolerance) << "step " << s + 1;
  }
  if (step.begin_deferred_update()) executor->prepare(step.deferred_update())->run();

  for (const Parameter& p : state.table->all()) {
    const auto expected = read<float>(golden.file, variant + "final/" + p.name);
    EXPECT_LT(relative_error(state.weights.vector(p).data(), expected), kTolerance) << p.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Accumulation, GoldenSteps, testing::Values(1, 4));

// ---- The same steps on several ranks, which divide the twelve sequences of four micro-batches.

struct Sharing {
  std::string strategy;
  int ranks;
  bool reproducible = false;
  bool overlap = true;
  bool dedicated_server = false;
  int64_t B = 1;
  const char* executor = "tasks";
};

void PrintTo(const Sharing& s, std::ostream* out) {
  *out << s.strategy << " on " << s.ranks << " ranks" << (s.reproducible ? ", reproducible" : "")
       << (s.overlap ? "" : ", no overlap") << (s.dedicated_server ? ", dedicated" : "") << ", B "
       << s.B << ", " << s.executor;
}

std::vector<Sharing> all_sharings() {
  std::vector<Sharing> all;
  for (const char* strategy : {"all-reduce", "sharded", "server"}) {
    for (const int ranks : {1, 2, 3, 4}) {
      for (const bool reproducible : {false, true}) {
        all.push_back({.strategy = strategy, .ranks = ranks, .reproducible = reproducible});
      }
    }
    all.push_back({.strategy = strategy, .ranks = 2, .overlap = false});
    all.push_back({.strategy = strategy, .ranks = 2, .B = 3});
    all.push_back(
        {.strategy = strategy, .ranks = 3, .reproducible = true, .executor = "fork-join"});
    all.push_back({.strategy = strategy, .ranks = 3, .executor = "sequential"});
    all.push_back({.strategy = strategy, .ranks = 3, .executor = "omp-tasks"});
  }
  for (const bool reproducible : {false, true}) {
    all.push_back(
        {.strategy = "server", .ranks = 4, .reproducible = reproducible, .dedicated_server = true});
  }
  all.push_back({.strategy = "server", .ranks = 3, .overlap = false, .dedicated_server = true});
  return all;
}

// The result of a run on one rank.
struct Outcome {
  std::vector<double> losses, norms;
  std::vector<float> weights;

  bool operator==(const Outcome&) const = default;
};

// Buckets of a quarter of a kilobyte: this tiny model has many of them.
constexpr double kTinyBucketMb = 1. / 4096.;

Outcome run_shared(const Golden& golden, const Sharing& sharing, Communicator& communicator) {
  const auto tokens = read<int32_t>(golden.file, "accum4/tokens");
  const auto targets = read<int32_t>(golden.file, "accum4/targets");
  const int64_t sequences = 4 * golden.number("B");
  StepSettings settings = golden.settings(1);
  settings.B = sharing.B;
  settings.communicator = &communicator;
  settings.distribution = {.strategy = sharing.strategy,
                           .bucket_mb = kTinyBucketMb,
                           .overlap = sharing.overlap,
                           .reproducible = sharing.reproducible,
                           .dedicated_server = sharing.dedicated_server};
  settings.micro_steps = sequences / sharing.B / settings.workers().count();
  const TrainingState state(golden.config(), *settings.optimizer, StateMemory::kSparse);
  golden.load_weights(state);
  TrainingStep step(state, settings);
  const auto executor = make_executor(sharing.executor, 2);
  const auto run = [&](const Program& program) { executor->prepare(program)->run(); };

  Outcome outcome;
  const Range mine = settings.workers().micro_batches_of(communicator.rank());
  for (int64_t s = 0; s < golden.number("steps"); ++s) {
    step.set_step(s + 1, golden.hyper.at("lr"));
    std::vector<double> losses(static_cast<size_t>(sequences), 0.);
    for (int64_t k = 0; k < step.micro_steps(); ++k) {
      if (mine.size() > 0) {
        const int64_t batch = s * sequences / sharing.B + mine.begin + k;
        load_batch(tokens, batch, step.inputs());
        load_batch(targets, batch, step.targets());
      }
      for (const Program* program : step.programs(k)) run(*program);
      if (mine.size() == 0) continue;
      const bool each = sharing.reproducible;
      losses[size_t(mine.begin + (each ? k : 0))] = step.loss();
    }
    communicator.all_reduce(losses, Reduction::kSum);
    double loss = 0.;
    for (const double part : losses) loss += part;
    outcome.losses.push_back(loss);
    outcome.norms.push_back(step.grad_norm());
  }
  if (step.begin_deferred_update()) run(step.deferred_update());
  outcome.weights.assign(state.weights.data.begin(), state.weights.data.end());
  return outcome;
}

std::vector<Outcome> outcomes_of(const Golden& golden, const Sharing& sharing) {
  std::vector<Outcome> outcomes(static_cast<size_t>(sharing.ranks));
  run_ranks(sharing.ranks, [&](Communicator& communicator) {
    outcomes[size_t(communicator.rank())] = run_shared(golden, sharing, communicator);
  });
  return outcomes;
}

class SharedGoldenSteps : public testing::TestWithParam<Sharing> {};

TEST_P(SharedGoldenSteps, EveryRankMatchesPyTorch) {
  const Golden golden;
  const auto losses = read<float>(golden.file, "accum4/losses");
  const auto norms = read<float>(golden.file, "accum4/grad_norms");

  const std::vector<Outcome> outcomes = outcomes_of(golden, GetParam());

  const TrainingState state(golden.config());
  for (const Outcome& outcome : outcomes) {
    for (size_t s = 0; s < losses.size(); ++s) {
      EXPECT_NEAR(outcome.losses[s] / losses[s], 1., kTolerance) << "step " << s + 1;
      EXPECT_NEAR(outcome.norms[s] / norms[s], 1., kTolerance) << "step " << s + 1;
    }
    std::ranges::copy(outcome.weights, state.weights.data.begin());
    for (const Parameter& p : state.table->all()) {
      const auto expected = read<float>(golden.file, "accum4/final/" + p.name);
      EXPECT_LT(relative_error(state.weights.vector(p).data(), expected), kTolerance) << p.name;
    }
    EXPECT_TRUE(outcome == outcomes[0]) << "ranks differ";
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, SharedGoldenSteps, testing::ValuesIn(all_sharings()));

TEST(Golden, ReproducibleStepsLeaveTheSameBitsOnAnyNumberOfRanks) {
  const Golden golden;
  const Outcome expected =
      outcomes_of(golden, {.strategy = "all-reduce", .ranks = 1, .reproducible = true})[0];

  for (const Sharing& sharing : all_sharings()) {
    if (!sharing.reproducible) continue;
    EXPECT_TRUE(outcomes_of(golden, sharing)[0] == expected) << testing::PrintToString(sharing);
    Sharing variant = sharing;
    variant.overlap = false;
    EXPECT_TRUE(outcomes_of(golden, variant)[0] == expected) << testing::PrintToString(variant);
  }
}

// Overlap changes when communication happens, and no bits: ThreadRanks adds in one order.
TEST(Golden, StepsWithoutOverlapLeaveTheSameBits) {
  const Golden golden;
  for (const char* strategy : {"all-reduce", "sharded", "server"}) {
    const Sharing with{.strategy = strategy, .ranks = 3};
    Sharing without = with;
    without.overlap = false;

    EXPECT_TRUE(outcomes_of(golden, with)[0] == outcomes_of(golden, without)[0]) << strategy;
  }
}

// One micro-batch without an update: the middle program of three leaves plain gradients.
TEST(Golden, GradientsOfOneBatchMatchPyTorch) {
  const Golden golden;
  const TrainingState state(golden.config());
  golden.load_weights(state);
  TrainingStep step(state, golden.settings(2));
  load_batch(read<int32_t>(golden.file, "accum1/tokens"), 0, step.inputs());
  load_batch(read<int32_t>(golden.file, "accum1/targets"), 0, step.targets());

  make_executor("sequential", 1)->prepare(step.program(0))->run();

  // The program is the first of two micro-steps, so its loss is half of the mean.
  EXPECT_NEAR(2. * step.loss() / read<float>(golden.file, "loss")[0], 1., 1e-5);
  for (const Parameter& p : state.table->all()) {
    std::vector<float> gradient(state.dweights.vector(p).begin(), state.dweights.vector(p).end());
    for (float& g : gradient) g *= 2.f;
    auto expected = read<float>(golden.file, "gradients/" + p.name);
    if (p.tensor == Tensor::qkvb) {
      // Softmax does not see key biases: their true gradient is 0, and rounding noise has no
      // relative error. The noise must be tiny beside the other gradients of the vector.
      const auto C = golden.number("C");
      for (int64_t i = C; i < 2 * C; ++i) EXPECT_LT(std::abs(gradient[size_t(i)]), 1e-6);
    }
    EXPECT_LT(relative_error(gradient.data(), expected), kTolerance) << p.name;
  }
}

TEST(Golden, CachedDecodingGivesPyTorchsLogits) {
  const Golden golden;
  const TrainingState state(golden.config());
  golden.load_weights(state);
  const auto executor = make_executor("sequential", 1);
  const auto tokens = read<int32_t>(golden.file, "accum1/tokens");
  const auto logits = read<float>(golden.file, "logits");
  const auto T = golden.number("T"), V = golden.number("V");
  Generator generator(state.weights, *executor);

  for (int64_t t = 0; t < T; ++t) {
    const Vector<const float> actual = generator.feed(Vector<const int32_t>(&tokens[size_t(t)], 1));

    const std::vector<float> expected(logits.begin() + t * V, logits.begin() + (t + 1) * V);
    EXPECT_LT(relative_error(actual.data(), expected), 1e-5) << "token " << t;
  }
}

}  // namespace
}  // namespace weft
