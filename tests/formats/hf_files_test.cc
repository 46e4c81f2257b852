#include "formats/hf_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "formats/hf_tensors.h"
#include "support/error_of.h"
#include "support/special_files.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

TEST(HfFiles, SaysWhatADirectoryLacks) {
  const TempDirectory dir;

  EXPECT_TRUE(mentions(read_error(dir.path()), {"model.safetensors", "safe_serialization=True"}));
}

TEST(HfFiles, SaysWhatStandsWhereItsFileIsMeant) {
  for (const char* name : {"model.safetensors", "model.safetensors.index.json"}) {
    for (const SpecialFile& special : special_files()) {
      const TempDirectory dir;
      special.make(dir / name);

      EXPECT_TRUE(mentions(read_error(dir.path()), {name, special.reason}));
    }
  }
}

// ---- Shards ------------------------------------------------------------------------------------

constexpr const char* kIndex = "model.safetensors.index.json";

// Splits the tiny model into two files with their index.
nlohmann::json write_shards(const TempDirectory& dir) {
  HfTensors halves[2];
  nlohmann::json map;
  const char* const names[] = {"model-00001-of-00002.safetensors",
                               "model-00002-of-00002.safetensors"};
  for (const auto& [name, t] : tiny_tensors("transformer.")) {
    const size_t half = halves[0].size() <= halves[1].size() ? 0 : 1;
    halves[half][name] = t;
    map[name] = names[half];
  }
  write(dir / names[0], halves[0]);
  write(dir / names[1], halves[1]);
  return {{"metadata", {{"total_size", 1}}}, {"weight_map", map}};
}

TEST(HfFiles, ReadsShards) {
  const TempDirectory dir;
  dir.write(kIndex, write_shards(dir).dump());

  expect_reads_tiny_weights(dir.path());
}

TEST(HfFiles, RefusesAnIndexThatLeavesTheDirectory) {
  const TempDirectory dir;
  for (const char* file : {"../model.safetensors", "/etc/passwd", "..", "", "sub/x.safetensors",
                           "/x.safetensors", "x.SAFETENSORS"}) {
    nlohmann::json index = write_shards(dir);
    index["weight_map"]["transformer.ln_f.bias"] = file;
    dir.write(kIndex, index.dump());

    EXPECT_TRUE(mentions(read_error(dir.path()), {"ln_f.bias", "of its directory"})) << file;
  }
}

// The name that the system would open ends at the NUL.
TEST(HfFiles, RefusesAShardNameWithANulInIt) {
  const TempDirectory dir;
  nlohmann::json index = write_shards(dir);
  index["weight_map"]["transformer.ln_f.bias"] = std::string("x\0.safetensors", 14);
  dir.write(kIndex, index.dump());

  EXPECT_TRUE(mentions(read_error(dir.path()), {"ln_f.bias", "of its directory"}));
}

TEST(HfFiles, RefusesAnIndexThatDoesNotMatchItsFiles) {
  const TempDirectory dir;
  nlohmann::json index = write_shards(dir);
  index["weight_map"]["transformer.more"] = "model-00001-of-00002.safetensors";
  dir.write(kIndex, index.dump());
  EXPECT_TRUE(mentions(read_error(dir.path()), {"transformer.more", "promises"}));

  index["weight_map"]["transformer.more"] = "model-00003-of-00002.safetensors";
  dir.write(kIndex, index.dump());
  EXPECT_TRUE(mentions(read_error(dir.path()), {"model-00003-of-00002.safetensors"}));

  for (const char* text : {"", "{}", "[]", R"({"weight_map":[]})", R"({"weight_map":{"a":1}})"}) {
    dir.write(kIndex, text);
    EXPECT_TRUE(mentions(read_error(dir.path()), {kIndex})) << text;
  }
}

TEST(HfFiles, RefusesATensorInTwoShards) {
  const TempDirectory dir;
  const nlohmann::json index = write_shards(dir);
  dir.write(kIndex, index.dump());
  HfTensors tensors = tiny_tensors("transformer.");
  write(dir / "model-00002-of-00002.safetensors", tensors);

  EXPECT_TRUE(mentions(read_error(dir.path()), {"twice"}));
}

TEST(HfFiles, NamesAShardThatIsMissing) {
  for (const char* name :
       {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}) {
    const TempDirectory dir;
    dir.write(kIndex, write_shards(dir).dump());
    std::filesystem::remove(dir / name);

    EXPECT_TRUE(mentions(read_error(dir.path()), {name, "No such file"}));
  }
}

TEST(HfFiles, RefusesEveryTruncationOfAnIndex) {
  const TempDirectory dir;
  const std::string whole = R"({"metadata":{"total_size":8},"weight_map":{"a":"b.safetensors"}})";

  for (size_t n = 0; n < whole.size(); ++n) {
    dir.write(kIndex, whole.substr(0, n));

    EXPECT_TRUE(mentions(read_error(dir.path()), {"[hf.read]", kIndex, "is not JSON"})) << n;
  }
}

TEST(HfFiles, RefusesAnIndexThatNamesATensorTwiceOrNestsDeeply) {
  const TempDirectory dir;
  write_shards(dir);

  dir.write(kIndex, R"({"weight_map":{"a":"b.safetensors","a":"c.safetensors"}})");
  EXPECT_TRUE(mentions(read_error(dir.path()), {"the key \"a\" twice"}));
  dir.write(kIndex, R"({"weight_map":)" + std::string(100'000, '['));
  EXPECT_TRUE(mentions(read_error(dir.path()), {"nests deeper than 32 levels"}));
  dir.write(kIndex, "{\"weight_map\":{\"\xFF\":\"b.safetensors\"}}");
  EXPECT_TRUE(mentions(read_error(dir.path()), {"not JSON in UTF-8"}));
}

TEST(HfFiles, NamesWhatAnEmptyIndexLacks) {
  const TempDirectory dir;
  dir.write(kIndex, R"({"weight_map":{}})");

  EXPECT_TRUE(mentions(read_error(dir.path()), {"does not hold wte.weight"}));
}

}  // namespace
}  // namespace weft
