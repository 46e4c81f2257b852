#include "model/tiling.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "base/arena.h"
#include "model/tiled_parameters.h"
#include "program/tile.h"

namespace weft {
namespace {

struct Case {
  std::string model;
  int64_t B, T;
};

std::vector<Case> cases() {
  return {{"L=1,NH=1,C=1,T=1,V=1", 1, 1},
          {"L=2,NH=3,C=15,T=97,V=257", 3, 47},
          {"L=1,NH=7,C=455,T=131,V=1031", 5, 131},
          {"L=1,NH=4,C=512,T=1024,V=50257", 16, 1024},
          {"L=1,NH=25,C=1600,T=1024,V=50257", 1, 1024}};
}

Tiling tiling_of(const Case& c) { return choose_tiling(parse_model(c.model, 257), c.B, c.T); }

auto numbers_of(const Tiling& t) {
  return std::tuple(t.B, t.T, t.rows, t.classifier_rows, t.vocabulary_columns, t.heads);
}

TEST(Tiling, StaysWithinTheBatchAndTheModel) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.model);
    const Config config = parse_model(c.model, 257);

    const Tiling tiling = tiling_of(c);

    EXPECT_EQ(tiling.n(), c.B * c.T);
    EXPECT_GE(tiling.rows, 1);
    EXPECT_LE(tiling.rows, tiling.n());
    EXPECT_GE(tiling.classifier_rows, 1);
    EXPECT_LE(tiling.classifier_rows, tiling.n());
    EXPECT_EQ(tiling.vocabulary_columns % kVocabularyPadding, 0);
    EXPECT_GE(tiling.vocabulary_columns, kVocabularyPadding);
    EXPECT_GE(tiling.heads, 1);
    EXPECT_EQ(config.NH % tiling.heads, 0);
  }
}

TEST(Tiling, RowTilesOfTheClassifierAreWholeRowTiles) {
  for (const Case& c : cases()) {
    const Tiling tiling = tiling_of(c);
    EXPECT_TRUE(tiling.classifier_rows % tiling.rows == 0 || tiling.classifier_rows == tiling.n())
        << c.model;
  }
}

TEST(Tiling, CoversEveryParameterOnce) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.model);
    const ParameterTable table(parse_model(c.model, 257));
    Arena arena;
    const ParameterView values = {&table, arena.vector<float>(table.buffer_size())};
    TileTable tiles;

    const TiledParameters tiled(tiles, "", values, tiling_of(c));

    tiles.validate();  // throws where two tiles overlap
    std::map<std::string, size_t> bytes;
    for (TileId id = 0; id < tiles.size(); ++id) {
      const std::string& name = tiles[id].name;
      bytes[name.substr(0, name.find('['))] += tiles[id].rows * tiles[id].row_bytes;
    }
    for (const Parameter& p : table.all()) {
      EXPECT_EQ(bytes[p.name], static_cast<size_t>(p.size()) * sizeof(float)) << p.name;
    }
  }
}

TEST(Tiling, CutsABiasAsTheRowsOfItsWeight) {
  const std::vector<std::pair<Tensor, Tensor>> pairs = {{Tensor::qkvw, Tensor::qkvb},
                                                        {Tensor::attprojw, Tensor::attprojb},
                                                        {Tensor::fcw, Tensor::fcb},
                                                        {Tensor::fcprojw, Tensor::fcprojb}};
  for (const Case& c : cases()) {
    const ParameterTable table(parse_model(c.model, 257));
    const Tiling tiling = tiling_of(c);
    for (const auto& [weight, bias] : pairs) {
      const int64_t N = table.get(weight).rows;
      EXPECT_EQ(std::min(tiling.parameter_rows(table.get(weight)), N),
                std::min(tiling.parameter_columns(table.get(bias)), N))
          << c.model << " " << tensor_name(bias);
    }
  }
}

TEST(Tiling, CutsTheEmbeddingAsTheLogits) {
  for (const Case& c : cases()) {
    const ParameterTable table(parse_model(c.model, 257));
    const Tiling tiling = tiling_of(c);
    EXPECT_EQ(tiling.parameter_rows(table.get(Tensor::wte)), tiling.vocabulary_columns);
  }
}

TEST(Tiling, CutsLargeProductsAndLeavesSmallOnesWhole) {
  const Tiling tiling = tiling_of({"gpt2", 4, 1024});

  EXPECT_GE(tiling.columns(15, 15), 15);
  EXPECT_LT(tiling.columns(3072, 768), 3072);
  EXPECT_EQ(tiling.columns(3072, 768) % 64, 0);
  EXPECT_LT(tiling.weight_rows(3072, 768), 3072);
  EXPECT_EQ(tiling.weight_rows(3072, 768) % 64, 0);
}

TEST(Tiling, SpreadsASmallVocabularyOverSeveralBlocks) {
  const Tiling tiling = tiling_of({"L=1,NH=1,C=8,T=8,V=1024", 1, 8});

  EXPECT_EQ(tiling.vocabulary_columns, 128);
}

// The bits of a result follow from the tiling, so it must be the same on one CPU as on all.
TEST(Tiling, DoesNotDependOnTheMachine) {
  for (const Case& c : cases()) {
    const auto on_all_cpus = numbers_of(tiling_of(c));

    auto on_one_cpu = on_all_cpus;
    std::thread([&] {
      cpu_set_t mask;
      CPU_ZERO(&mask);
      CPU_SET(sched_getcpu(), &mask);
      ASSERT_EQ(sched_setaffinity(0, sizeof mask, &mask), 0);
      on_one_cpu = numbers_of(tiling_of(c));
    }).join();

    EXPECT_EQ(on_one_cpu, on_all_cpus) << c.model;
  }
}

}  // namespace
}  // namespace weft
