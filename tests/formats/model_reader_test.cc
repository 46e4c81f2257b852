#include "formats/model_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <vector>

#include "formats/hf_model.h"
#include "formats/llmc_model.h"
#include "formats/test_model.h"
#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr Config kConfig = {.L = 11, .NH = 1, .C = 3, .T = 2, .V = 5};

// Reads the parameters from the last to the first: their order in the file must not matter.
void expect_reads_in_any_order(const ModelReader& reader, TestModel& expected) {
  TestModel model(expected.table().config());
  const std::vector<Parameter>& parameters = model.table().all();
  for (auto p = parameters.rbegin(); p != parameters.rend(); ++p) {
    reader.read(*p, model.view().vector(*p));
  }
  expect_equal_weights(model, expected);
}

TEST(ModelReader, ReadsParametersInAnyOrder) {
  const TempDirectory dir;
  for (const Config& config : odd_configs()) {
    TestModel model = filled_model(config);
    write_llmc_model(dir / "model.bin", model.view());
    write_hf_weights(dir / "model.safetensors", model.view());

    expect_reads_in_any_order(*open_llmc_model(dir / "model.bin"), model);
    expect_reads_in_any_order(*open_hf_model(dir / "model.safetensors", config), model);
  }
}

// Pieces are released from memory after they were read: the next one must not be.
TEST(ModelReader, ReadsTensorsOfSeveralPieces) {
  const TempDirectory dir;
  const Config config = {.L = 1, .NH = 1, .C = 64, .T = 1, .V = (1 << 15) + 1};
  TestModel model = filled_model(config);
  write_llmc_model(dir / "model.bin", model.view());
  write_hf_weights(dir / "model.safetensors", model.view(), DType::F32);

  expect_reads_in_any_order(*open_llmc_model(dir / "model.bin"), model);
  expect_reads_in_any_order(*open_hf_model(dir / "model.safetensors", config), model);
}

TEST(ModelReader, KnowsItsFilesAndElementTypes) {
  const TempDirectory dir;
  TestModel model = filled_model(kConfig);
  write_llmc_model(dir / "model.bin", model.view(), DType::BF16);
  write_hf_model(dir / "hf", model.view(), 0);

  const auto llmc = open_llmc_model(dir / "model.bin");
  const auto hf = open_hf_model(dir / "hf", kConfig);

  EXPECT_EQ(llmc->files(), std::vector{dir / "model.bin"});
  EXPECT_EQ(llmc->dtypes(), std::set{DType::BF16});
  EXPECT_EQ(hf->files(), std::vector{dir / "hf/model.safetensors"});
  EXPECT_EQ(hf->dtypes(), std::set{DType::F32});
}

TEST(ModelReader, RefusesWeightsOfAnotherModel) {
  const TempDirectory dir;
  write_llmc_model(dir / "model.bin", filled_model(kConfig).view());
  Config deeper = kConfig;
  ++deeper.L;
  TestModel other(deeper);

  const std::string error =
      error_of([&] { read_all(*open_llmc_model(dir / "model.bin"), other.view()); });

  EXPECT_TRUE(mentions(error, {"[model.read]", "model.bin", "is L=11", "not L=12"}));
}

TEST(NonFiniteWeights, CountsNanAndInfinityAndNamesTheFirst) {
  const TempDirectory dir;
  TestModel written = filled_model(kConfig);
  written.view().vector(Tensor::fcw, 3)[17] = kNan;
  written.view().vector(Tensor::fcw, 3)[19] = -kInfinity;
  written.view().vector(Tensor::lnfb)[2] = kInfinity;
  write_llmc_model(dir / "model.bin", written.view());
  write_hf_weights(dir / "model.safetensors", written.view());
  TestModel read(kConfig);

  const NonFiniteWeights llmc = read_llmc_weights(dir / "model.bin", read.view());
  const NonFiniteWeights hf = read_hf_weights(dir / "model.safetensors", read.view());

  expect_equal_weights(read, written);
  EXPECT_EQ(llmc.message(), hf.message());
  EXPECT_EQ(llmc.message(), "3 of 2013 weights are not finite (first: block3/fcw[17])");
}

TEST(NonFiniteWeights, FindsNothingInWeightsThatAreAllFinite) {
  const TempDirectory dir;
  TestModel written = filled_model(kConfig);
  written.view().vector(Tensor::wpe)[0] = std::numeric_limits<float>::max();
  written.view().vector(Tensor::wpe)[1] = std::numeric_limits<float>::denorm_min();
  write_llmc_model(dir / "model.bin", written.view());
  TestModel read(kConfig);

  EXPECT_EQ(read_llmc_weights(dir / "model.bin", read.view()).count, 0);
}

TEST(NonFiniteWeights, CountsAModelOfNothingButNan) {
  const TempDirectory dir;
  TestModel written(kConfig);
  std::ranges::fill(written.view().data, kNan);
  write_hf_weights(dir / "model.safetensors", written.view());
  TestModel read(kConfig);

  const NonFiniteWeights found = read_hf_weights(dir / "model.safetensors", read.view());

  // Padded rows of wte are zero, whatever was written.
  EXPECT_EQ(found.count, read.table().count() - (kConfig.Vp() - kConfig.V) * kConfig.C);
  EXPECT_EQ(found.first, "wte[0]");
}

}  // namespace
}  // namespace weft
