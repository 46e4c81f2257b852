// Models for the tests of file formats: every element of every tensor has a value of its own.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <vector>

#include "model/config.h"
#include "model/parameters.h"

namespace weft {

// V < Vp; V == Vp; and the smallest, where matrices have one row.
inline std::vector<Config> odd_configs() {
  return {{.L = 3, .NH = 3, .C = 15, .T = 7, .V = 31},
          {.L = 1, .NH = 1, .C = 17, .T = 5, .V = 128},
          {.L = 11, .NH = 1, .C = 3, .T = 2, .V = 129},
          {.L = 1, .NH = 1, .C = 1, .T = 1, .V = 1}};
}

class TestModel {
 public:
  explicit TestModel(const Config& config)
      : table_(config), data_(static_cast<size_t>(table_.buffer_size()), -1.0f) {}

  const ParameterTable& table() const { return table_; }
  ParameterView view() { return {&table_, data_}; }

  // 1, 2, 3, ... up to `distinct`, then again from 1. The padded rows of wte become zero.
  void fill(int64_t distinct = 1 << 24) {
    int64_t count = 0;
    for (const Parameter& p : table_.all()) {
      for (float& value : view().vector(p)) value = static_cast<float>(1 + count++ % distinct);
    }
    const Config& c = table_.config();
    for (int64_t v = c.V; v < c.Vp(); ++v) {
      for (float& value : view().matrix(Tensor::wte).row(v)) value = 0.0f;
    }
  }

 private:
  ParameterTable table_;
  std::vector<float> data_;
};

inline TestModel filled_model(const Config& config) {
  TestModel model(config);
  model.fill();
  return model;
}

// Bit by bit, so that NaN equals itself and -0 differs from 0.
inline void expect_equal_weights(TestModel& actual, TestModel& expected) {
  ASSERT_EQ(actual.table().config(), expected.table().config());
  for (const Parameter& p : expected.table().all()) {
    const Vector<float> a = actual.view().vector(p);
    const Vector<float> e = expected.view().vector(p);
    for (size_t i = 0; i < e.size(); ++i) {
      ASSERT_EQ(std::bit_cast<uint32_t>(a[i]), std::bit_cast<uint32_t>(e[i]))
          << p.name << "[" << i << "]: " << a[i] << ", not " << e[i];
    }
  }
}

}  // namespace weft
