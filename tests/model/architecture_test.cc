#include "model/architecture.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace weft {
namespace {

TEST(Architecture, NamesEveryTensorOnceInBothFormats) {
  std::set<std::string> names, hf_names;
  for (const TensorInfo& t : kArchitecture) {
    names.insert(t.name);
    hf_names.insert(t.hf_name);
  }

  EXPECT_EQ(names.size(), kArchitecture.size());
  EXPECT_EQ(hf_names.size(), kArchitecture.size());
}

TEST(Architecture, HasItsRowsInTheOrderOfTheirNamesInTheCode) {
  EXPECT_STREQ(tensor_name(Tensor::wte), "wte");
  EXPECT_STREQ(tensor_name(Tensor::ln1w), "ln1w");
  EXPECT_STREQ(tensor_name(Tensor::qkvw), "qkvw");
  EXPECT_STREQ(tensor_name(Tensor::attprojb), "attprojb");
  EXPECT_STREQ(tensor_name(Tensor::ln2b), "ln2b");
  EXPECT_STREQ(tensor_name(Tensor::fcprojw), "fcprojw");
  EXPECT_STREQ(tensor_name(Tensor::lnfb), "lnfb");
}

TEST(Architecture, HasEveryBiasRightAfterItsWeight) {
  for (size_t t = 0; t < kArchitecture.size(); ++t) {
    if (kArchitecture[t].role != Role::kLinearBias) continue;
    ASSERT_GT(t, 0u);
    EXPECT_EQ(kArchitecture[t - 1].role, Role::kLinearWeight) << kArchitecture[t].name;
    EXPECT_EQ(kArchitecture[t - 1].rows, kArchitecture[t].cols) << kArchitecture[t].name;
  }
}

// Hugging Face's Conv1D keeps (inputs, outputs).
TEST(Architecture, TransposesTheWeightsOfLinearLayersAloneForHuggingFace) {
  for (const TensorInfo& t : kArchitecture) {
    EXPECT_EQ(t.hf_transposed, t.role == Role::kLinearWeight) << t.name;
  }
}

TEST(Architecture, DimensionsFollowTheConfig) {
  const Config config = {.L = 2, .NH = 3, .C = 15, .T = 7, .V = 131};

  EXPECT_EQ(size_of(Dim::one, config), 1);
  EXPECT_EQ(size_of(Dim::maxT, config), 7);
  EXPECT_EQ(size_of(Dim::Vp, config), 256);
  EXPECT_EQ(size_of(Dim::C, config), 15);
  EXPECT_EQ(size_of(Dim::C3, config), 45);
  EXPECT_EQ(size_of(Dim::C4, config), 60);
}

}  // namespace
}  // namespace weft
