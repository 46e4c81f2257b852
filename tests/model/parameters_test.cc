#include "model/parameters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

namespace weft {
namespace {

constexpr float kUntouched = -7.f;
constexpr Config kOdd = {.L = 3, .NH = 3, .C = 15, .T = 7, .V = 131};

// Weights that were never written are kUntouched.
class Weights {
 public:
  explicit Weights(const Config& config)
      : table_(config), data_(static_cast<size_t>(table_.buffer_size()), kUntouched) {}

  const ParameterTable& table() const { return table_; }
  ParameterView view() { return {&table_, data_}; }
  const std::vector<float>& data() const { return data_; }

  void initialize(uint64_t seed, int64_t rows_at_a_time) {
    for (const Parameter& p : table_.all()) {
      for (int64_t begin = 0; begin < p.rows; begin += rows_at_a_time) {
        initialize_rows(view(), p, begin, std::min(begin + rows_at_a_time, p.rows), seed);
      }
    }
  }

 private:
  ParameterTable table_;
  std::vector<float> data_;
};

std::vector<float> initialized(uint64_t seed, int64_t rows_at_a_time) {
  Weights weights(kOdd);
  weights.initialize(seed, rows_at_a_time);
  return weights.data();
}

// Mean and deviation of n draws of normal(0, std) lie within five standard errors of 0 and std:
// one seed in two million would fail, and the seed is fixed.
void expect_normal(Vector<const float> values, double std, const std::string& name) {
  const double n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const float value : values) {
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  EXPECT_NEAR(sum / n, 0., 5. * std / std::sqrt(n)) << name;
  EXPECT_NEAR(std::sqrt(squares / n), std, 5. * std / std::sqrt(2. * n)) << name;
}

TEST(Parameters, CountIsThatOfLlmc) {
  EXPECT_EQ(ParameterTable(parse_model("gpt2", 50257)).count(), 124475904);
}

TEST(Parameters, FollowTheOrderOfLlmcWithinALayer) {
  const ParameterTable table({.L = 2, .NH = 1, .C = 3, .T = 5, .V = 7});

  std::vector<std::string> names;
  for (const Parameter& p : table.all()) names.push_back(p.name);

  std::vector<std::string> expected = {"wte", "wpe"};
  for (const std::string block : {"block0/", "block1/"}) {
    for (const char* tensor : {"ln1w", "ln1b", "qkvw", "qkvb", "attprojw", "attprojb", "ln2w",
                               "ln2b", "fcw", "fcb", "fcprojw", "fcprojb"}) {
      expected.push_back(block + tensor);
    }
  }
  expected.insert(expected.end(), {"lnfw", "lnfb"});
  EXPECT_EQ(names, expected);
}

TEST(Parameters, HaveTheShapesOfGpt2) {
  const ParameterTable table(kOdd);
  const auto expect_shape = [&](Tensor tensor, int64_t rows, int64_t cols) {
    EXPECT_EQ(table.get(tensor, 0).rows, rows) << tensor_name(tensor);
    EXPECT_EQ(table.get(tensor, 0).cols, cols) << tensor_name(tensor);
  };

  expect_shape(Tensor::wte, 256, 15);
  expect_shape(Tensor::wpe, 7, 15);
  expect_shape(Tensor::qkvw, 45, 15);
  expect_shape(Tensor::qkvb, 1, 45);
  expect_shape(Tensor::attprojw, 15, 15);
  expect_shape(Tensor::fcw, 60, 15);
  expect_shape(Tensor::fcb, 1, 60);
  expect_shape(Tensor::fcprojw, 15, 60);
  for (const Tensor tensor : {Tensor::ln1w, Tensor::ln1b, Tensor::attprojb, Tensor::ln2w,
                              Tensor::ln2b, Tensor::fcprojb, Tensor::lnfw, Tensor::lnfb}) {
    expect_shape(tensor, 1, 15);
  }
}

TEST(Parameters, StartOnTheirOwnCacheLineAndDoNotOverlap) {
  for (const Config& config : {kOdd, Config{.L = 2, .NH = 1, .C = 1, .T = 1, .V = 1}}) {
    const ParameterTable table(config);
    int64_t end = 0;
    for (const Parameter& p : table.all()) {
      EXPECT_EQ(p.offset % 16, 0) << p.name;
      EXPECT_GE(p.offset, end) << p.name;
      end = p.offset + p.size();
    }
    EXPECT_LE(end, table.buffer_size());
  }
}

TEST(Parameters, AreFoundByTensorAndLayer) {
  const ParameterTable table(kOdd);

  std::set<size_t> found;
  for (int t = 0; t < kTensors; ++t) {
    const auto tensor = static_cast<Tensor>(t);
    for (int64_t layer = 0; layer < (is_per_layer(tensor) ? kOdd.L : 1); ++layer) {
      found.insert(table.index(tensor, layer));
      EXPECT_EQ(table.get(tensor, layer).tensor, tensor);
      EXPECT_EQ(table.get(tensor, layer).layer, layer);
    }
  }

  EXPECT_EQ(found.size(), table.all().size());
}

TEST(Parameters, DecayOnlyWhereTheyAreMatrices) {
  const std::set<std::string> matrices = {"wte", "wpe", "qkvw", "attprojw", "fcw", "fcprojw"};
  const ParameterTable table(kOdd);

  for (const Parameter& p : table.all()) {
    EXPECT_EQ(p.decay, matrices.contains(tensor_name(p.tensor))) << p.name;
  }
}

TEST(ParameterView, ShowsEachTensorInItsPlace) {
  Weights weights(kOdd);
  const ParameterView view = weights.view();
  const Parameter& p = weights.table().get(Tensor::fcw, 2);

  view.matrix(Tensor::fcw, 2).at(3, 4) = 5.f;

  EXPECT_EQ(weights.data()[size_t(p.offset + 3 * 15 + 4)], 5.f);
  EXPECT_EQ(view.vector(Tensor::fcw, 2)[3 * 15 + 4], 5.f);
  EXPECT_EQ(view.vector(p).size(), size_t(p.size()));
}

TEST(InitialWeights, HaveTheDeviationsOfGpt2) {
  constexpr Config config = {.L = 3, .NH = 3, .C = 51, .T = 67, .V = 257};
  Weights weights(config);

  weights.initialize(42, 1 << 20);

  for (const Parameter& p : weights.table().all()) {
    if (p.rows == 1) continue;
    Vector<const float> values = weights.view().vector(p);
    if (p.tensor == Tensor::wte) values = values.first(size_t(config.V * config.C));
    const bool into_residual = p.tensor == Tensor::attprojw || p.tensor == Tensor::fcprojw;
    expect_normal(values, into_residual ? 0.02 / std::sqrt(2. * 3.) : 0.02, p.name);
  }
}

TEST(InitialWeights, AreOneInLayernormsAndZeroInBiases) {
  Weights weights(kOdd);

  weights.initialize(42, 1 << 20);

  for (const Parameter& p : weights.table().all()) {
    if (p.rows != 1) continue;
    const bool scales = std::string(tensor_name(p.tensor)).ends_with('w');
    for (const float value : weights.view().vector(p)) {
      ASSERT_EQ(value, scales ? 1.f : 0.f) << p.name;
    }
  }
}

TEST(InitialWeights, AreZeroWhereTheVocabularyIsPadded) {
  Weights weights(kOdd);

  weights.initialize(42, 1 << 20);

  const Matrix<float> wte = weights.view().matrix(Tensor::wte);
  for (int64_t v = 0; v < kOdd.V; ++v) ASSERT_NE(wte.at(v, 0), 0.f) << v;
  for (int64_t v = kOdd.V; v < kOdd.Vp(); ++v) {
    for (const float value : wte.row(v)) ASSERT_EQ(value, 0.f) << v;
  }
}

TEST(InitialWeights, AreAPureFunctionOfTheSeed) {
  EXPECT_EQ(initialized(42, 1 << 20), initialized(42, 1 << 20));
  EXPECT_NE(initialized(42, 1 << 20), initialized(43, 1 << 20));
}

TEST(InitialWeights, DoNotDependOnHowTheRowsAreSplit) {
  const std::vector<float> whole = initialized(42, 1 << 20);

  for (const int64_t rows : {1, 2, 13}) EXPECT_EQ(initialized(42, rows), whole) << rows;
}

TEST(InitialWeights, DifferFromTensorToTensor) {
  Weights weights(kOdd);

  weights.initialize(42, 1 << 20);

  // Scaled back to unit deviation, the first draw of every matrix is another number.
  std::set<float> first;
  int matrices = 0;
  for (const Parameter& p : weights.table().all()) {
    if (p.rows == 1) continue;
    first.insert(weights.view().vector(p)[0] / p.init_std);
    ++matrices;
  }
  EXPECT_EQ(static_cast<int>(first.size()), matrices);
}

TEST(InitialWeights, FillTheGivenRowsAlone) {
  Weights weights(kOdd);
  const Parameter& p = weights.table().get(Tensor::qkvw, 1);

  initialize_rows(weights.view(), p, 3, 5, 42);

  for (int64_t i = 0; i < std::ssize(weights.data()); ++i) {
    const bool inside = i >= p.offset + 3 * p.cols && i < p.offset + 5 * p.cols;
    ASSERT_EQ(weights.data()[size_t(i)] != kUntouched, inside) << i;
  }
}

}  // namespace
}  // namespace weft
