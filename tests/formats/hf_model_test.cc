#include "formats/hf_model.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "formats/hf_tensors.h"
#include "formats/safetensors.h"
#include "formats/test_model.h"
#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

// ---- Names, shapes, values ---------------------------------------------------------------------

TEST(HfModel, WritesTheNamesAndShapesOfGpt2LmHeadModel) {
  const TempDirectory dir;
  const Config config = {.L = 1, .NH = 1, .C = 3, .T = 5, .V = 7};

  write_hf_weights(dir / "model.safetensors", filled_model(config).view());

  std::map<std::string, std::vector<int64_t>> shapes;
  const SafetensorsFile file(dir / "model.safetensors");
  for (const StoredTensor& t : file.tensors()) shapes[t.name] = t.shape;
  EXPECT_EQ(shapes, (std::map<std::string, std::vector<int64_t>>{
                        {"transformer.wte.weight", {7, 3}},
                        {"transformer.wpe.weight", {5, 3}},
                        {"transformer.h.0.ln_1.weight", {3}},
                        {"transformer.h.0.ln_1.bias", {3}},
                        {"transformer.h.0.attn.c_attn.weight", {3, 9}},
                        {"transformer.h.0.attn.c_attn.bias", {9}},
                        {"transformer.h.0.attn.c_proj.weight", {3, 3}},
                        {"transformer.h.0.attn.c_proj.bias", {3}},
                        {"transformer.h.0.ln_2.weight", {3}},
                        {"transformer.h.0.ln_2.bias", {3}},
                        {"transformer.h.0.mlp.c_fc.weight", {3, 12}},
                        {"transformer.h.0.mlp.c_fc.bias", {12}},
                        {"transformer.h.0.mlp.c_proj.weight", {12, 3}},
                        {"transformer.h.0.mlp.c_proj.bias", {3}},
                        {"transformer.ln_f.weight", {3}},
                        {"transformer.ln_f.bias", {3}},
                    }));
  EXPECT_EQ(file.metadata().at("format"), "pt");
}

TEST(HfModel, TransposesTheFourMatricesOfALayer) {
  TestModel model(kTiny);
  const TempDirectory dir;
  HfTensors tensors = tiny_tensors("");
  tensors["h.1.attn.c_attn.weight"] = tensor({2, 6}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  tensors["h.1.attn.c_proj.weight"] = tensor({2, 2}, {1, 2, 3, 4});

  read_hf_weights(write(dir / "model.safetensors", tensors), model.view());

  const Vector<float> qkvw = model.view().vector(Tensor::qkvw, 1);
  EXPECT_EQ(std::vector<float>(qkvw.begin(), qkvw.end()),
            (std::vector<float>{1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 6, 12}));
  const Vector<float> attprojw = model.view().vector(Tensor::attprojw, 1);
  EXPECT_EQ(std::vector<float>(attprojw.begin(), attprojw.end()), (std::vector<float>{1, 3, 2, 4}));
}

TEST(HfModel, RoundTripsBitByBit) {
  for (const Config& config : odd_configs()) {
    const TempDirectory dir;
    TestModel written = filled_model(config);
    TestModel read(config);

    write_hf_model(dir / "new/model", written.view(), 0);
    read_hf_weights(dir / "new/model", read.view());

    EXPECT_EQ(read_hf_config(dir / "new/model"), config);
    expect_equal_weights(read, written);
  }
}

TEST(HfModel, ReadsBothF16AndBf16) {
  // 2.0 in both types. F16: sign 0, exponent 16; BF16: the upper half of the float.
  for (const auto& [dtype, two] : {std::pair{DType::F16, 0x4000}, std::pair{DType::BF16, 0x4000}}) {
    const TempDirectory dir;
    HfTensors tensors = tiny_tensors("");
    const uint16_t bits[] = {static_cast<uint16_t>(two), 0};
    tensors["ln_f.bias"] = {dtype, {2}, {reinterpret_cast<const char*>(bits), sizeof(bits)}};
    TestModel model(kTiny);

    read_hf_weights(write(dir / "model.safetensors", tensors), model.view());

    EXPECT_EQ(model.view().vector(Tensor::lnfb)[0], 2.0f);
    EXPECT_EQ(model.view().vector(Tensor::lnfb)[1], 0.0f);
  }
}

TEST(HfModel, WritesBf16) {
  const TempDirectory dir;
  TestModel written(kTiny);
  written.fill(251);  // a prime, and integers up to 256 are exact in bf16
  TestModel read(kTiny);

  write_hf_model(dir.path(), written.view(), 0, DType::BF16);
  read_hf_weights(dir.path(), read.view());

  expect_equal_weights(read, written);
  EXPECT_EQ(SafetensorsFile(dir / "model.safetensors").tensors()[0].dtype, DType::BF16);
}

TEST(HfModel, ReadsNamesWithAndWithoutPrefix) {
  const TempDirectory dir;

  expect_reads_tiny_weights(write(dir / "long.safetensors", tiny_tensors("transformer.")));
  expect_reads_tiny_weights(write(dir / "short.safetensors", tiny_tensors("")));
}

TEST(HfModel, SkipsAttentionMasks) {
  const TempDirectory dir;
  HfTensors tensors = tiny_tensors("");
  tensors["h.0.attn.bias"] = {DType::U8, {1, 1, 3, 3}, "111111111"};
  tensors["h.1.attn.masked_bias"] = tensor({}, {-10000});

  expect_reads_tiny_weights(write(dir / "model.safetensors", tensors));
}

// ---- The head ----------------------------------------------------------------------------------

TEST(HfModel, AcceptsAHeadThatIsTheEmbedding) {
  const TempDirectory dir;
  HfTensors tensors = tiny_tensors("transformer.");
  tensors["lm_head.weight"] = tensors["transformer.wte.weight"];

  expect_reads_tiny_weights(write(dir / "model.safetensors", tensors));
}

TEST(HfModel, RefusesAHeadOfItsOwn) {
  HfTensors tensors = tiny_tensors("transformer.");
  tensors["lm_head.weight"] = tensors["transformer.wte.weight"];
  tensors["lm_head.weight"].bytes.back() ^= 1;

  EXPECT_TRUE(mentions(tensors_error(tensors), {"[hf.read]", "row 4 of lm_head.weight differs"}));
}

// Heads are compared in pieces: the last row of the last one counts too.
TEST(HfModel, RefusesALargeHeadOfItsOwn) {
  const TempDirectory dir;
  const Config config = {.L = 1, .NH = 1, .C = 64, .T = 1, .V = (1 << 14) + 2};
  TestModel model = filled_model(config);
  write_hf_weights(dir / "tied", model.view());
  const SafetensorsFile tied(dir / "tied");
  HfTensors tensors;
  for (const StoredTensor& t : tied.tensors()) {
    tensors[t.name] = {
        t.dtype, t.shape, {reinterpret_cast<const char*>(t.bytes.data()), t.bytes.size()}};
  }
  tensors["lm_head.weight"] = tensors["transformer.wte.weight"];
  const auto path = dir / "model.safetensors";
  EXPECT_EQ(error_of([&] { open_hf_model(write(path, tensors), config); }), "");

  tensors["lm_head.weight"].bytes.back() ^= 1;

  EXPECT_TRUE(mentions(error_of([&] { open_hf_model(write(path, tensors), config); }),
                       {"row 16385 of lm_head.weight differs"}));
}

TEST(HfModel, AcceptsAHeadOfNanThatIsTheEmbedding) {
  const TempDirectory dir;
  HfTensors tensors = tiny_tensors("transformer.");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  tensors["transformer.wte.weight"] = tensor({5, 2}, std::vector<float>(10, nan));
  tensors["lm_head.weight"] = tensors["transformer.wte.weight"];
  TestModel model(kTiny);

  const NonFiniteWeights found =
      read_hf_weights(write(dir / "model.safetensors", tensors), model.view());

  EXPECT_EQ(found.count, 10);
}

TEST(HfModel, RefusesAHeadOfAnotherShape) {
  HfTensors tensors = tiny_tensors("transformer.");
  tensors["lm_head.weight"] = tensor({2, 5}, std::vector<float>(10));

  EXPECT_TRUE(mentions(tensors_error(tensors), {"lm_head.weight has shape (2, 5)", "(5, 2)"}));
}

// ---- What is refused ---------------------------------------------------------------------------

TEST(HfModel, NamesEveryMissingTensor) {
  const HfTensors whole = tiny_tensors("");
  for (const auto& [name, unused] : whole) {
    HfTensors tensors = whole;
    tensors.erase(name);

    EXPECT_TRUE(mentions(tensors_error(tensors), {"does not hold " + name}));
  }
}

TEST(HfModel, NamesTensorsThatGpt2DoesNotHave) {
  for (const char* name : {"h.2.ln_1.weight", "h.0.attn.extra", "h.00.ln_1.weight", "odd\nname"}) {
    HfTensors tensors = tiny_tensors("");
    tensors[name] = tensor({1}, {0});

    EXPECT_TRUE(mentions(tensors_error(tensors), {"which a GPT-2 of L=2"})) << name;
  }
}

TEST(HfModel, RefusesATensorUnderBothNames) {
  HfTensors tensors = tiny_tensors("");
  tensors["transformer.ln_f.bias"] = tensors["ln_f.bias"];

  EXPECT_TRUE(mentions(tensors_error(tensors), {"holds \"ln_f.bias\" twice"}));
}

TEST(HfModel, RefusesOtherShapesAndTypes) {
  HfTensors tensors = tiny_tensors("");
  tensors["h.1.mlp.c_fc.weight"].shape = {8, 2};
  EXPECT_TRUE(mentions(tensors_error(tensors),
                       {"h.1.mlp.c_fc.weight has shape (8, 2), the model needs (2, 8)"}));

  tensors = tiny_tensors("");
  tensors["ln_f.bias"] = {DType::F64, {2}, std::string(16, '\0')};
  EXPECT_TRUE(mentions(tensors_error(tensors), {"ln_f.bias is F64"}));

  tensors = tiny_tensors("");
  tensors["wte.weight"] = tensor({128, 2}, std::vector<float>(256));  // llm.c's padded rows
  EXPECT_TRUE(mentions(tensors_error(tensors), {"wte.weight has shape (128, 2)", "(5, 2)"}));
}

TEST(HfModel, RefusesEveryTruncation) {
  const TempDirectory dir;
  const auto path = write(dir / "model.safetensors", tiny_tensors(""));

  for (size_t n = std::filesystem::file_size(path); n-- > 0;) {
    std::filesystem::resize_file(path, n);

    EXPECT_TRUE(mentions(read_error(path), {"[safetensors.read]", "model.safetensors"})) << n;
  }
}

}  // namespace
}  // namespace weft
