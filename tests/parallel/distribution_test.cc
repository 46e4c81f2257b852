// Steps on several ranks leave what one rank computes, whether wte's gradient is sent whole or the
// rows of its tokens are sent apart.
#include "parallel/distribution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "base/rng.h"
#include "comm/recording_communicator.h"
#include "exec/executor.h"
#include "kernels/embedding.h"
#include "step/random_state.h"
#include "step/training_step.h"
#include "support/thread_ranks.h"
#include "support/whole_matrix_optimizer.h"

namespace weft {
namespace {

constexpr Config kModel = {.L = 2, .NH = 2, .C = 12, .T = 16, .V = 31};  // 128 rows of wte
constexpr int64_t kSequences = 12, kSteps = 3;

struct Sharing {
  std::string strategy;
  int ranks;
  int64_t B;
  int64_t T;
  bool overlap = true, reproducible = false, dedicated_server = false;
};

void PrintTo(const Sharing& s, std::ostream* out) {
  *out << s.strategy << " on " << s.ranks << " ranks, B " << s.B << ", T " << s.T
       << (s.overlap ? "" : ", no overlap") << (s.reproducible ? ", reproducible" : "")
       << (s.dedicated_server ? ", dedicated server" : "");
}

StepSettings settings_of(const Sharing& sharing, Communicator& communicator) {
  StepSettings settings;
  settings.B = sharing.B;
  settings.T = sharing.T;
  settings.communicator = &communicator;
  settings.distribution = {.strategy = sharing.strategy,
                           .bucket_mb = 1e-3,
                           .overlap = sharing.overlap,
                           .reproducible = sharing.reproducible,
                           .dedicated_server = sharing.dedicated_server};
  settings.micro_steps = kSequences / sharing.B / settings.workers().count();
  return settings;
}

struct Outcome {
  std::vector<double> norms;
  std::vector<float> weights;

  bool operator==(const Outcome&) const = default;
};

Outcome run_rank(const Sharing& sharing, Communicator& communicator,
                 const std::shared_ptr<const Optimizer>& optimizer) {
  StepSettings settings = settings_of(sharing, communicator);
  settings.optimizer = optimizer;
  const TrainingState state(kModel, *optimizer);
  fill_weights(state.weights, 1);
  TrainingStep step(state, settings);
  const auto executor = make_executor("tasks", 2);
  const auto run = [&](const Program& program) { executor->prepare(program)->run(); };
  const Range mine = settings.workers().micro_batches_of(communicator.rank());
  const int64_t n = sharing.B * sharing.T;
  Outcome outcome;
  for (int64_t s = 0; s < kSteps; ++s) {
    step.set_step(s + 1, 1e-2);
    for (int64_t k = 0; k < step.micro_steps(); ++k) {
      for (int64_t i = 0; mine.size() > 0 && i < n; ++i) {
        const auto number = uint64_t((mine.begin + k) * n + i);
        // Few different tokens, so that ranks and micro-batches add to the same rows.
        step.inputs()[size_t(i)] = int32_t(random_u64(2, uint64_t(s), number) % 5);
        step.targets()[size_t(i)] = int32_t(random_u64(3, uint64_t(s), number) % kModel.V);
      }
      for (const Program* program : step.programs(k)) run(*program);
    }
    outcome.norms.push_back(step.grad_norm());
  }
  if (step.begin_deferred_update()) run(step.deferred_update());
  outcome.weights.assign(state.weights.data.begin(), state.weights.data.end());
  return outcome;
}

Outcome outcome_of(const Sharing& sharing,
                   const std::shared_ptr<const Optimizer>& optimizer = default_optimizer()) {
  std::vector<Outcome> outcomes(size_t(sharing.ranks));
  run_ranks(sharing.ranks, [&](Communicator& communicator) {
    outcomes[size_t(communicator.rank())] = run_rank(sharing, communicator, optimizer);
  });
  for (const Outcome& outcome : outcomes) EXPECT_TRUE(outcome == outcomes[0]) << "ranks differ";
  return outcomes[0];
}

// Twelve sequences of 7 tokens have fewer rows than wte's 128, so token rows are sent apart. Twelve
// sequences of 16 tokens have more, and so do eight, which the last micro-batches of all ranks may
// have together.
constexpr int64_t kFew = 7, kMany = 16;

std::vector<Sharing> sharings() {
  std::vector<Sharing> all;
  for (const char* strategy : {"all-reduce", "sharded", "server"}) {
    for (const int64_t T : {kFew, kMany}) {
      all.push_back({strategy, 2, 6, T});
      all.push_back({strategy, 2, 3, T});
      all.push_back({strategy, 3, 4, T});
      all.push_back({strategy, 3, 2, T});
    }
  }
  all.push_back({"server", 4, 4, kFew, true, false, true});
  all.push_back({"server", 4, 4, kMany, true, false, true});
  return all;
}

class SharedSteps : public testing::TestWithParam<Sharing> {};
INSTANTIATE_TEST_SUITE_P(Sharings, SharedSteps, testing::ValuesIn(sharings()));

TEST_P(SharedSteps, ComputeWhatOneRankComputes) {
  const Outcome expected = outcome_of({"all-reduce", 1, GetParam().B, GetParam().T});
  const Outcome actual = outcome_of(GetParam());

  for (int64_t s = 0; s < kSteps; ++s) {
    EXPECT_NEAR(actual.norms[size_t(s)] / expected.norms[size_t(s)], 1., 1e-5) << "step " << s;
  }
  // wte lies first. The tolerance is for sums in another order, which AdamW divides by their own
  // size; updates are of 1e-2. (Other tensors have key biases, whose gradients are noise alone.)
  float largest = 0.f;
  for (size_t i = 0; i < size_t(kModel.V * kModel.C); ++i) {
    largest = std::max(largest, std::abs(actual.weights[i] - expected.weights[i]));
  }
  EXPECT_LT(largest, 1e-5f);
}

TEST_P(SharedSteps, LeaveTheSameBitsWithoutOverlap) {
  Sharing without = GetParam();
  without.overlap = false;
  EXPECT_TRUE(outcome_of(GetParam()) == outcome_of(without));
}

TEST(Distribution, ReproducibleBitsDoNotDependOnRanksWhereTokenRowsAreApartOrNot) {
  for (const int64_t T : {kFew, kMany}) {
    const Outcome expected = outcome_of({"all-reduce", 1, 1, T, true, true});
    for (const char* strategy : {"all-reduce", "sharded", "server"}) {
      for (const int ranks : {2, 3, 4}) {
        EXPECT_TRUE(outcome_of({strategy, ranks, 1, T, true, true}) == expected)
            << strategy << " on " << ranks << " ranks, T " << T;
      }
    }
  }
}

// Muon is an example of such an optimizer. A unit of communication then is a whole matrix.
TEST(Distribution, GivesAnOptimizerWholeMatricesUnderEveryStrategy) {
  const auto optimizer = std::make_shared<WholeMatrixOptimizer>();
  const Outcome expected = outcome_of({"all-reduce", 1, 1, kFew, true, true}, optimizer);
  for (const char* strategy : {"all-reduce", "sharded", "server"}) {
    for (const int ranks : {2, 3}) {
      EXPECT_TRUE(outcome_of({strategy, ranks, 1, kFew, true, true}, optimizer) == expected)
          << strategy << " on " << ranks << " ranks";
    }
  }
}

size_t place_of(const Program& program, const std::string& op) {
  return size_t(std::ranges::find(program.ops(), op, [](const Op& o) { return o.name.text(); }) -
                program.ops().begin());
}

TEST(Distribution, SendsWtesGradientBeforeBackwardWhereTokensAreFew) {
  const TrainingState state(kModel);
  RecordingCommunicator rank(0, 4);
  const TrainingStep few(state, settings_of({"all-reduce", 4, 3, kFew}, rank));
  const TrainingStep many(state, settings_of({"all-reduce", 4, 3, kMany}, rank));
  const Program &early = few.program(0), &late = many.program(0);

  EXPECT_LT(place_of(early, "exchange0/sum/start"), place_of(early, "block1/fcproj/dX[r0,c0]"));
  EXPECT_EQ(place_of(early, "embedding/dwte"), early.ops().size());
  EXPECT_LT(place_of(early, "token_rows"), early.ops().size());

  EXPECT_GT(place_of(late, "exchange0/sum/start"), place_of(late, "block1/fcproj/dX[r0,c0]"));
  EXPECT_LT(place_of(late, "embedding/dwte"), late.ops().size());
  EXPECT_EQ(place_of(late, "token_rows"), late.ops().size());
}

// The result is that of one rank with all micro-batches, also for ranges that cut rows.
TEST(TokenRows, AreAddedInTheOrderOfTheTokens) {
  constexpr int64_t kWords = 4, C = 3, n = 5, kBatches = 3;
  Arena arena;
  TileTable tiles;
  const auto tokens = allocate_tiled<int32_t>(arena, tiles, "tokens", n, 1, n, 1);
  const auto rows = allocate_tiled<float>(arena, tiles, "rows", n, C, n, C);
  const TokenRows all(arena, tiles, Workers{1, 0, kBatches}, tokens, rows);
  std::vector<float> expected(size_t(kWords * C)), actual(expected.size());
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = actual[i] = float(i) / 7.f;
  for (int64_t m = 0; m < kBatches; ++m) {
    for (int64_t i = 0; i < n; ++i) {
      tokens.matrix().at(i, 0) = int32_t(random_u64(1, uint64_t(m), uint64_t(i)) % kWords);
      for (float& value : rows.matrix().row(i)) value = float(m + 1) / float(3 * i + 7);
    }
    embedding_backward(tokens.column({0, n}), rows.matrix(), {expected.data(), kWords, C});
    Program pack("pack", tiles);
    all.append_pack(pack, m);
    make_executor("sequential", 1)->prepare(pack)->run();
  }

  for (const Range& range : split(kWords * C, 5)) {
    all.add_to(range, Vector<float>(actual).subspan(size_t(range.begin), size_t(range.size())));
  }

  EXPECT_EQ(actual, expected);
  EXPECT_EQ(all.counts(), std::vector<int64_t>(kBatches, n * (C + 1)));
}

}  // namespace
}  // namespace weft
