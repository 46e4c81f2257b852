#include "formats/hf_config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "support/error_of.h"
#include "support/special_files.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

using nlohmann::json;

constexpr Config kConfig = {.L = 3, .NH = 5, .C = 15, .T = 7, .V = 31};

json minimal() {
  return {{"model_type", "gpt2"}, {"n_layer", 3},     {"n_head", 5},
          {"n_embd", 15},         {"n_positions", 7}, {"vocab_size", 31}};
}

Config read(const json& config) {
  const TempDirectory dir;
  dir.write("config.json", config.dump());
  return read_hf_config(dir.path());
}

// The error for the minimal config with one key changed.
std::string error_with(const std::string& key, const json& value) {
  json config = minimal();
  config[key] = value;
  return error_of([&] { read(config); });
}

std::string error_without(const std::string& key) {
  json config = minimal();
  config.erase(key);
  return error_of([&] { read(config); });
}

TEST(HfConfig, RoundTrips) {
  const TempDirectory dir;

  write_hf_config(dir.path(), kConfig, 30);

  EXPECT_EQ(read_hf_config(dir.path()), kConfig);
}

TEST(HfConfig, WritesWhatHuggingFaceWouldOtherwiseAssumeDifferently) {
  const TempDirectory dir;

  write_hf_config(dir.path(), kConfig, 30);
  write_hf_generation_config(dir.path(), 30);

  const json config = json::parse(read_file(dir / "config.json"));
  EXPECT_EQ(config["architectures"], json::array({"GPT2LMHeadModel"}));
  EXPECT_EQ(config["resid_pdrop"], 0.0);
  EXPECT_EQ(config["embd_pdrop"], 0.0);
  EXPECT_EQ(config["attn_pdrop"], 0.0);
  EXPECT_EQ(config["bos_token_id"], 30);
  EXPECT_EQ(config["eos_token_id"], 30);
  EXPECT_EQ(config["torch_dtype"], "float32");
  EXPECT_EQ(config["tie_word_embeddings"], true);
  const json generation = json::parse(read_file(dir / "generation_config.json"));
  EXPECT_EQ(generation["eos_token_id"], 30);
}

TEST(HfConfig, NamesBf16) {
  const TempDirectory dir;

  write_hf_config(dir.path(), kConfig, 30, DType::BF16);

  EXPECT_EQ(json::parse(read_file(dir / "config.json"))["torch_dtype"], "bfloat16");
}

TEST(HfConfig, ReadsTheOtherNamesOfTheNumbers) {
  const json config = {{"model_type", "gpt2"},         {"num_hidden_layers", 3},
                       {"num_attention_heads", 5},     {"hidden_size", 15},
                       {"max_position_embeddings", 7}, {"vocab_size", 31}};

  EXPECT_EQ(read(config), kConfig);
}

TEST(HfConfig, AcceptsEveryFormOfGpt2) {
  EXPECT_EQ(read(minimal()), kConfig);
  EXPECT_EQ(error_with("n_inner", nullptr), "");
  EXPECT_EQ(error_with("n_inner", 60), "");
  EXPECT_EQ(error_with("activation_function", "gelu_pytorch_tanh"), "");
  EXPECT_EQ(error_with("layer_norm_epsilon", 1e-5), "");
  EXPECT_EQ(error_with("task_specific_params", {{"text-generation", {{"max_length", 50}}}}), "");
}

TEST(HfConfig, RefusesWhatWeftDoesNotCompute) {
  EXPECT_TRUE(mentions(error_with("model_type", "llama"), {"[hf.config]", "config.json", "gpt2"}));
  EXPECT_TRUE(mentions(error_without("model_type"), {"model_type"}));
  EXPECT_TRUE(mentions(error_with("n_inner", 61), {"n_inner is \"61\"", "60"}));
  EXPECT_TRUE(mentions(error_with("activation_function", "relu"), {"relu", "gelu_new"}));
  EXPECT_TRUE(mentions(error_with("activation_function", "gelu"), {"gelu_new"}));
  EXPECT_TRUE(mentions(error_with("layer_norm_epsilon", 1e-6), {"layer_norm_epsilon"}));
  EXPECT_TRUE(mentions(error_with("scale_attn_weights", false), {"scale_attn_weights"}));
  EXPECT_TRUE(mentions(error_with("scale_attn_by_inverse_layer_idx", true), {"inverse_layer"}));
  EXPECT_TRUE(mentions(error_with("add_cross_attention", true), {"add_cross_attention"}));
}

TEST(HfConfig, RefusesNumbersThatAreMissingOrAbsurd) {
  for (const char* key : {"n_layer", "n_head", "n_embd", "n_positions", "vocab_size"}) {
    EXPECT_TRUE(mentions(error_without(key), {key, "is missing"}));
    for (const json& value : {json(-1), json(1.5), json("12"), json(nullptr), json::array({1}),
                              json(UINT64_MAX), json(1e30)}) {
      EXPECT_TRUE(mentions(error_with(key, value), {key, "not a whole number"})) << value;
    }
    for (const json& value : {json(0), json(INT64_MAX)}) {
      EXPECT_TRUE(mentions(error_with(key, value), {"a model that cannot be"})) << value;
    }
  }
  EXPECT_TRUE(mentions(error_with("n_head", 4), {"C=15 is not divisible by NH=4"}));
}

TEST(HfConfig, RefusesFilesThatAreNotJsonObjects) {
  const TempDirectory dir;
  for (const char* text : {"", "[]", "{", "{} {}", "{\"a\":1,\"a\":2}", "\xFF"}) {
    dir.write("config.json", text);

    const std::string error = error_of([&] { read_hf_config(dir.path()); });

    EXPECT_TRUE(mentions(error, {"[hf.config]", "config.json"})) << text;
  }
}

TEST(HfConfig, RefusesEveryTruncation) {
  const TempDirectory dir;
  const std::string whole = minimal().dump();

  for (size_t n = 0; n < whole.size(); ++n) {
    dir.write("config.json", whole.substr(0, n));

    EXPECT_TRUE(mentions(error_of([&] { read_hf_config(dir.path()); }), {"is not JSON"})) << n;
  }
}

TEST(HfConfig, RefusesNumbersThatDoNotFit64Bits) {
  const TempDirectory dir;
  for (const char* number : {"18446744073709551616", "99999999999999999999999", "-1", "3.0"}) {
    std::string text = minimal().dump();
    const std::string key = "\"n_layer\":";
    text.replace(text.find(key) + key.size(), 1, number);
    dir.write("config.json", text);

    EXPECT_TRUE(mentions(error_of([&] { read_hf_config(dir.path()); }),
                         {"n_layer is", "not a whole number"}))
        << number;
  }
}

TEST(HfConfig, SaysWhyTheFileCannotBeRead) {
  for (const SpecialFile& special : special_files()) {
    const TempDirectory dir;
    special.make(dir / "config.json");

    EXPECT_TRUE(
        mentions(error_of([&] { read_hf_config(dir.path()); }), {"config.json", special.reason}));
  }
}

TEST(HfConfig, NamesTheMissingFile) {
  const TempDirectory dir;

  EXPECT_TRUE(
      mentions(error_of([&] { read_hf_config(dir.path()); }), {"config.json", "No such file"}));
}

}  // namespace
}  // namespace weft
