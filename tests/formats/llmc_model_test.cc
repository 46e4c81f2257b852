#include "formats/llmc_model.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "formats/test_model.h"
#include "support/error_of.h"
#include "support/special_files.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

// L=2, NH=1, C=1, T=1, V=1: every tensor but wte has a handful of elements.
constexpr Config kTiny = {.L = 2, .NH = 1, .C = 1, .T = 1, .V = 1};
using Header = std::array<int32_t, 256>;

Header tiny_header(int32_t version) {
  return {20240326, version, /*maxT=*/1, /*V=*/1, /*L=*/2, /*NH=*/1, /*C=*/1, /*Vp=*/128};
}

std::string bytes_of(const Header& header) {
  return {reinterpret_cast<const char*>(header.data()), sizeof(header)};
}

// Values 1, 2, 3, ... in the order of the file; the padded rows of wte hold `padding`.
template <typename Encode>
std::string tiny_payload(float padding, Encode encode) {
  constexpr int kElements = 128 + 1 + 2 * 25 + 2;
  std::string payload;
  float count = 0;
  for (int i = 0; i < kElements; ++i) payload += encode(i >= 1 && i < 128 ? padding : ++count);
  return payload;
}

std::string fp32(float value) { return {reinterpret_cast<const char*>(&value), sizeof(value)}; }
std::string bf16(float value) { return fp32(value).substr(2); }  // small integers are exact

std::string tiny_file() { return bytes_of(tiny_header(3)) + tiny_payload(0, fp32); }

// What the file order means for each tensor of the tiny model.
void expect_tiny_weights(TestModel& model) {
  const ParameterView view = model.view();
  const auto first = [&view](Tensor tensor, int64_t layer = 0) {
    return view.vector(tensor, layer)[0];
  };
  EXPECT_EQ(first(Tensor::wte), 1);
  EXPECT_EQ(view.vector(Tensor::wte)[1], 0);
  EXPECT_EQ(view.vector(Tensor::wte)[127], 0);
  EXPECT_EQ(first(Tensor::wpe), 2);
  EXPECT_EQ(first(Tensor::ln1w, 0), 3);
  EXPECT_EQ(first(Tensor::ln1w, 1), 4);
  EXPECT_EQ(first(Tensor::ln1b, 0), 5);
  EXPECT_EQ(first(Tensor::qkvw, 0), 7);
  EXPECT_EQ(view.vector(Tensor::qkvw, 0)[2], 9);
  EXPECT_EQ(first(Tensor::qkvw, 1), 10);
  EXPECT_EQ(first(Tensor::qkvb, 1), 16);
  EXPECT_EQ(first(Tensor::attprojw, 0), 19);
  EXPECT_EQ(first(Tensor::attprojb, 1), 22);
  EXPECT_EQ(first(Tensor::ln2w, 0), 23);
  EXPECT_EQ(first(Tensor::fcw, 1), 31);
  EXPECT_EQ(first(Tensor::fcb, 0), 35);
  EXPECT_EQ(first(Tensor::fcprojw, 0), 43);
  EXPECT_EQ(first(Tensor::fcprojb, 1), 52);
  EXPECT_EQ(first(Tensor::lnfw), 53);
  EXPECT_EQ(first(Tensor::lnfb), 54);
}

std::string config_error(const std::string& bytes) {
  const TempDirectory dir;
  const auto path = dir.write("hostile.bin", bytes);
  return error_of([&] { read_llmc_config(path); });
}

std::string slot_error(size_t slot, int32_t value) {
  Header header = tiny_header(3);
  header[slot] = value;
  return config_error(bytes_of(header) + tiny_payload(0, fp32));
}

TEST(LlmcModel, ReadsAHandWrittenFile) {
  const TempDirectory dir;
  const auto path = dir.write("tiny.bin", tiny_file());
  TestModel model(kTiny);

  read_llmc_weights(path, model.view());

  EXPECT_EQ(read_llmc_config(path), kTiny);
  expect_tiny_weights(model);
}

TEST(LlmcModel, ReadsBf16) {
  const TempDirectory dir;
  const auto path = dir.write("tiny.bin", bytes_of(tiny_header(5)) + tiny_payload(0, bf16));
  TestModel model(kTiny);

  read_llmc_weights(path, model.view());

  EXPECT_EQ(read_llmc_config(path), kTiny);
  expect_tiny_weights(model);
}

TEST(LlmcModel, WritesTheBytesOfTheHandWrittenFile) {
  const TempDirectory dir;
  TestModel model(kTiny);
  read_llmc_weights(dir.write("tiny.bin", tiny_file()), model.view());

  write_llmc_model(dir / "again.bin", model.view());

  EXPECT_EQ(read_file(dir / "again.bin"), tiny_file());
}

TEST(LlmcModel, ClearsThePaddedRows) {
  const TempDirectory dir;
  const auto path = dir.write("tiny.bin", bytes_of(tiny_header(3)) + tiny_payload(77, fp32));
  TestModel model(kTiny);

  read_llmc_weights(path, model.view());

  expect_tiny_weights(model);
}

TEST(LlmcModel, RoundTripsBitByBit) {
  const TempDirectory dir;
  for (const Config& config : odd_configs()) {
    TestModel written = filled_model(config);
    TestModel read(config);

    write_llmc_model(dir / "model.bin", written.view());
    read_llmc_weights(dir / "model.bin", read.view());

    EXPECT_EQ(read_llmc_config(dir / "model.bin"), config);
    expect_equal_weights(read, written);
  }
}

TEST(LlmcModel, RoundTripsBf16OfValuesThatItHolds) {
  const TempDirectory dir;
  TestModel written(kTiny);
  written.fill(251);  // a prime, and integers up to 256 are exact in bf16
  TestModel read(kTiny);

  write_llmc_model(dir / "model.bin", written.view(), DType::BF16);
  read_llmc_weights(dir / "model.bin", read.view());

  expect_equal_weights(read, written);
  EXPECT_EQ(read_file(dir / "model.bin").size(),
            1024 + 2 * static_cast<size_t>(written.table().count()));
}

TEST(LlmcModel, RefusesEveryTruncation) {
  const TempDirectory dir;
  const auto path = dir.write("tiny.bin", tiny_file());

  for (size_t n = tiny_file().size(); n-- > 0;) {
    std::filesystem::resize_file(path, n);

    EXPECT_TRUE(mentions(error_of([&] { read_llmc_config(path); }), {"[llmc.read]", "tiny.bin"}))
        << n;
  }
}

TEST(LlmcModel, SaysWhyAFileCannotBeRead) {
  for (const SpecialFile& special : special_files()) {
    const TempDirectory dir;
    special.make(dir / "model.bin");

    EXPECT_TRUE(mentions(error_of([&] { read_llmc_config(dir / "model.bin"); }),
                         {"model.bin", special.reason}));
  }
}

TEST(LlmcModel, RefusesTrailingBytes) {
  EXPECT_TRUE(mentions(config_error(tiny_file() + "x"), {"1749 bytes", "calls for 1748"}));
}

TEST(LlmcModel, RefusesHeadersThatMakeNoSense) {
  EXPECT_TRUE(mentions(slot_error(0, 20240327), {"magic number is 20240327"}));
  EXPECT_TRUE(mentions(slot_error(0, 20240520), {"tokens, not a model", "--data"}));
  for (const int32_t version : {-1, 0, 1, 2, 4, 6}) {
    EXPECT_TRUE(mentions(slot_error(1, version), {"its version is"})) << version;
  }
  for (const size_t slot : {2, 3, 4, 5, 6}) {
    for (const int32_t value : {-1, 0, INT32_MIN, INT32_MAX}) {
      EXPECT_TRUE(mentions(slot_error(slot, value), {"hostile.bin"})) << slot << " " << value;
    }
  }
  EXPECT_TRUE(mentions(slot_error(5, 2), {"C=1 is not divisible by NH=2"}));
  EXPECT_TRUE(mentions(slot_error(7, 1), {"padded to 1, not to 128"}));
  EXPECT_TRUE(mentions(slot_error(7, 256), {"padded to 256, not to 128"}));
}

// The largest numbers that are accepted: the size must be computed, not wrapped.
TEST(LlmcModel, RefusesAHeaderThatCallsForMoreThanAnyFileHolds) {
  Header header = {20240326, 3, 1 << 20, 1 << 24, 1000, 1, 65536, 1 << 24};

  EXPECT_TRUE(mentions(config_error(bytes_of(header)), {"has 1024 bytes", "calls for"}));
}

TEST(LlmcModel, RefusesWeightsOfAnotherModel) {
  const TempDirectory dir;
  const auto path = dir.write("tiny.bin", tiny_file());
  TestModel other({.L = 1, .NH = 1, .C = 1, .T = 1, .V = 1});

  const std::string error = error_of([&] { read_llmc_weights(path, other.view()); });

  EXPECT_TRUE(mentions(error, {"L=2,NH=1,C=1,T=1,V=1", "not L=1,NH=1,C=1,T=1,V=1"}));
}

TEST(LlmcModel, IsRecognisedByItsMagicNumber) {
  const TempDirectory dir;

  EXPECT_TRUE(llmc_format().matches(dir.write("model.bin", tiny_file())));
  EXPECT_FALSE(llmc_format().matches(dir.write("other.bin", std::string(2000, '\0'))));
  EXPECT_FALSE(llmc_format().matches(dir.write("empty.bin", "")));
  // Reading a truncated model says what it lacks.
  EXPECT_TRUE(llmc_format().matches(dir.write("short.bin", tiny_file().substr(0, 1023))));
}

}  // namespace
}  // namespace weft
