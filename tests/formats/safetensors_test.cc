#include "formats/safetensors.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "formats/safetensors_bytes.h"
#include "support/error_of.h"
#include "support/special_files.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

using namespace std::string_literals;

// The worked example of the header file: one vector of one 1.0f.
constexpr std::string_view kOne = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  )";
const std::string kOneData = "\x00\x00\x80\x3f"s;

std::string open_error(const TempDirectory& dir, const std::string& bytes) {
  const auto path = dir.write("hostile.safetensors", bytes);
  return error_of([&] { SafetensorsFile file(path); });
}

// The error for a header over four bytes of data.
std::string header_error(std::string_view header) {
  const TempDirectory dir;
  return open_error(dir, safetensors_bytes(header, "1234"));
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// ---- Reading what is right ---------------------------------------------------------------------

TEST(SafetensorsFile, ReadsTheWorkedExample) {
  const TempDirectory dir;

  const SafetensorsFile file(dir.write("one", safetensors_bytes(kOne, kOneData)));

  ASSERT_EQ(file.tensors().size(), 1u);
  const StoredTensor* a = file.find("a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->dtype, DType::F32);
  EXPECT_EQ(a->shape, std::vector<int64_t>{1});
  float value = 0;
  decode_floats(a->dtype, a->bytes, {&value, 1});
  EXPECT_EQ(value, 1.0f);
  EXPECT_EQ(file.find("b"), nullptr);
  EXPECT_TRUE(file.metadata().empty());
}

TEST(SafetensorsFile, ReadsScalarsEmptyTensorsMetadataAndUnalignedData) {
  const TempDirectory dir;
  const std::string_view header =
      R"( {"late":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},)"
      R"("__metadata__":{"format":"pt","by":"h\u0061nd"},)"
      R"("none":{"dtype":"I64","shape":[3,0,5],"data_offsets":[1,1]},)"
      R"("flag":{"dtype":"BOOL","shape":[],"data_offsets":[0,1],"note":"extra keys are ignored"}})";

  const SafetensorsFile file(dir.write("odd", safetensors_bytes(header, "\x01" + kOneData)));

  ASSERT_EQ(file.tensors().size(), 3u);
  EXPECT_EQ(file.tensors()[0].name, "flag");
  EXPECT_EQ(file.tensors()[1].name, "none");
  EXPECT_EQ(file.tensors()[2].name, "late");
  EXPECT_TRUE(file.find("flag")->shape.empty());
  EXPECT_TRUE(file.find("none")->bytes.empty());
  EXPECT_EQ(text_of(file.find("late")->bytes), kOneData);
  EXPECT_EQ(file.metadata(),
            (std::map<std::string, std::string>{{"by", "hand"}, {"format", "pt"}}));
}

TEST(SafetensorsFile, ReadsAFileWithoutTensors) {
  const TempDirectory dir;

  const SafetensorsFile file(dir.write("empty", safetensors_bytes("{}", "")));

  EXPECT_TRUE(file.tensors().empty());
}

TEST(SafetensorsFile, TakesMetadataThatIsNullForNone) {
  const TempDirectory dir;

  const SafetensorsFile file(dir.write("null", safetensors_bytes(R"({"__metadata__":null})", "")));

  EXPECT_TRUE(file.metadata().empty());
}

TEST(SafetensorsFile, StaysValidWhenMoved) {
  const TempDirectory dir;
  SafetensorsFile first(dir.write("one", safetensors_bytes(kOne, kOneData)));

  const SafetensorsFile second = std::move(first);

  EXPECT_EQ(text_of(second.find("a")->bytes), kOneData);
}

TEST(SafetensorsFile, KnowsTheSizesOfTypesSmallerThanAByte) {
  const TempDirectory dir;
  const std::string_view header = R"({"a":{"dtype":"F4","shape":[2,3],"data_offsets":[0,3]},)"
                                  R"("b":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[3,6]}})";

  const SafetensorsFile file(dir.write("small", safetensors_bytes(header, "123456")));

  EXPECT_EQ(text_of(file.find("b")->bytes), "456");
}

// ---- Refusing what is wrong --------------------------------------------------------------------

TEST(SafetensorsFile, RefusesEveryTruncation) {
  const TempDirectory dir;
  const std::string whole = safetensors_bytes(kOne, kOneData);
  ASSERT_EQ(open_error(dir, whole), "");

  for (size_t n = 0; n < whole.size(); ++n) {
    EXPECT_TRUE(mentions(open_error(dir, whole.substr(0, n)),
                         {"[safetensors.read]", "hostile.safetensors"}))
        << n;
  }
}

TEST(SafetensorsFile, RefusesTrailingBytes) {
  const TempDirectory dir;

  EXPECT_TRUE(mentions(open_error(dir, safetensors_bytes(kOne, kOneData + "x")),
                       {"end at byte 4 of the data, which has 5 bytes"}));
  EXPECT_TRUE(mentions(open_error(dir, safetensors_bytes("{}", "x")), {"end at byte 0"}));
}

TEST(SafetensorsFile, RefusesAHeaderThatIsTooLarge) {
  const TempDirectory dir;

  EXPECT_TRUE(mentions(open_error(dir, little_endian_u64(100'000'001) + "{}"), {"are allowed"}));
  EXPECT_TRUE(mentions(open_error(dir, little_endian_u64(~uint64_t{0}) + "{}"), {"are allowed"}));
  EXPECT_TRUE(mentions(open_error(dir, little_endian_u64(3) + "{}"), {"claims 3 bytes"}));
}

TEST(SafetensorsFile, RefusesAHeaderThatCutsACharacterOfItsText) {
  const TempDirectory dir;

  EXPECT_TRUE(mentions(open_error(dir, little_endian_u64(6) + "{\"\xC3\xA9\":1}"), {"not JSON"}));
}

TEST(SafetensorsFile, SaysWhyAFileCannotBeRead) {
  const TempDirectory dir;
  EXPECT_TRUE(mentions(error_of([&] { SafetensorsFile file(dir / "missing"); }),
                       {"missing", "No such file"}));

  for (const SpecialFile& special : special_files()) {
    const TempDirectory other;
    special.make(other / "model.safetensors");

    EXPECT_TRUE(mentions(error_of([&] { SafetensorsFile file(other / "model.safetensors"); }),
                         {"model.safetensors", special.reason}));
  }
}

TEST(SafetensorsFile, RefusesHeadersThatAreNotJsonObjects) {
  EXPECT_TRUE(mentions(header_error(""), {"not JSON"}));
  EXPECT_TRUE(mentions(header_error("[]"), {"not a JSON object"}));
  EXPECT_TRUE(mentions(header_error("{}x"), {"not JSON"}));
  EXPECT_TRUE(mentions(header_error("{\"a\": "), {"not JSON"}));
  EXPECT_TRUE(mentions(header_error("{}\0"s), {"NUL"}));
  EXPECT_TRUE(mentions(header_error("\xEF\xBB\xBF{}"), {"byte order mark"}));
  EXPECT_TRUE(mentions(header_error("{\"\xFF\":{}}"), {"not JSON in UTF-8"}));
  EXPECT_TRUE(mentions(header_error("{\"\xC0\x80\":{}}"), {"not JSON in UTF-8"}));
  EXPECT_TRUE(mentions(header_error("{\"a\":1e999}"), {"out of range"}));
}

TEST(SafetensorsFile, RefusesDeepNestingWithoutExhaustingTheStack) {
  constexpr size_t kLevels = 1'000'000;

  EXPECT_TRUE(mentions(header_error("{\"a\":" + std::string(kLevels, '[')), {"deeper than 32"}));
  std::string objects;
  for (size_t i = 0; i < kLevels; ++i) objects += "{\"a\":";
  EXPECT_TRUE(mentions(header_error(objects), {"deeper than 32"}));
}

TEST(SafetensorsFile, RefusesDuplicateKeys) {
  EXPECT_TRUE(mentions(header_error(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                                    R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})"),
                       {"the key \"a\" twice"}));
  EXPECT_TRUE(mentions(
      header_error(R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})"),
      {"the key \"dtype\" twice"}));
  EXPECT_TRUE(mentions(header_error(R"({"__metadata__":{},"\u005f_metadata__":{}})"), {"twice"}));
}

TEST(SafetensorsFile, RefusesMetadataThatIsNotAllText) {
  EXPECT_TRUE(mentions(header_error(R"({"__metadata__":[]})"), {"__metadata__ is not an object"}));
  EXPECT_TRUE(mentions(header_error(R"({"__metadata__":{"n":1}})"), {"\"n\" is not a string"}));
}

TEST(SafetensorsFile, RefusesEntriesThatLackAField) {
  EXPECT_TRUE(mentions(header_error(R"({"a":7})"), {"\"a\" is not described by an object"}));
  EXPECT_TRUE(mentions(header_error(R"({"a":{"shape":[1],"data_offsets":[0,4]}})"), {"no dtype"}));
  EXPECT_TRUE(
      mentions(header_error(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})"), {"no shape"}));
  EXPECT_TRUE(mentions(header_error(R"({"a":{"dtype":"F32","shape":[1]}})"), {"no data_offsets"}));
  EXPECT_TRUE(mentions(header_error(R"({"a":{"dtype":7,"shape":[1],"data_offsets":[0,4]}})"),
                       {"no dtype"}));
}

std::string entry_error(std::string_view dtype, std::string_view shape, std::string_view offsets) {
  return header_error("{\"a\":{\"dtype\":\"" + std::string(dtype) + "\",\"shape\":" +
                      std::string(shape) + ",\"data_offsets\":" + std::string(offsets) + "}}");
}

TEST(SafetensorsFile, RefusesTypesThatItDoesNotKnow) {
  EXPECT_TRUE(mentions(entry_error("F33", "[1]", "[0,4]"), {"unknown dtype \"F33\""}));
  EXPECT_TRUE(mentions(entry_error("f32", "[1]", "[0,4]"), {"unknown dtype \"f32\""}));
}

TEST(SafetensorsFile, RefusesNumbersThatAreNotUnsigned64BitIntegers) {
  for (const char* number : {"-1", "1.0", "1e0", "\"1\"", "null", "true", "[1]",
                             "18446744073709551616", "99999999999999999999999999"}) {
    const std::string list = "[" + std::string(number) + "]";
    EXPECT_TRUE(mentions(entry_error("F32", list, "[0,4]"), {"shape that is no"})) << number;
    const std::string offsets = "[0," + std::string(number) + "]";
    EXPECT_TRUE(mentions(entry_error("F32", "[1]", offsets), {"data_offsets that is no"}))
        << number;
  }
}

TEST(SafetensorsFile, RefusesShapesWhoseSizeOverflows) {
  const char* const kTooLarge = "\"a\" is too large";
  EXPECT_TRUE(mentions(entry_error("F32", "[18446744073709551615]", "[0,4]"), {kTooLarge}));
  EXPECT_TRUE(mentions(entry_error("F32", "[4294967296,4294967297]", "[0,4]"), {kTooLarge}));
  EXPECT_TRUE(mentions(entry_error("F32", "[4611686018427387905]", "[0,4]"), {kTooLarge}));
  EXPECT_TRUE(mentions(entry_error("F32", "[9223372036854775807,2,2,0]", "[0,0]"), {kTooLarge}));
}

TEST(SafetensorsFile, RefusesOffsetsThatDoNotFitTheShapeOrTheFile) {
  EXPECT_TRUE(mentions(entry_error("F32", "[2]", "[0,4]"), {"needs 8 bytes", "has 4"}));
  EXPECT_TRUE(mentions(entry_error("F32", "[]", "[0,3]"), {"needs 4 bytes", "has 3"}));
  EXPECT_TRUE(mentions(entry_error("F4", "[3]", "[0,2]"), {"whole bytes"}));
  EXPECT_TRUE(mentions(entry_error("F32", "[2]", "[0,8]"), {"end at byte 8", "has 4 bytes"}));
  EXPECT_TRUE(mentions(entry_error("F32", "[1]", "[0]"), {"two data_offsets"}));
  EXPECT_TRUE(mentions(entry_error("F32", "[1]", "[0,4,4]"), {"two data_offsets"}));
  EXPECT_TRUE(mentions(entry_error("F32", "[1]", "[4,8]"), {"begins at byte 4", "not at 0"}));
  EXPECT_TRUE(mentions(entry_error("F32", "[1]", "[18446744073709551612,0]"), {"begins at byte"}));
}

std::string pair_error(std::string_view first, std::string_view second) {
  const std::string entry = R"({"dtype":"U8","shape":[2],"data_offsets":)";
  return header_error("{\"a\":" + entry + std::string(first) + "},\"b\":" + entry +
                      std::string(second) + "}}");
}

TEST(SafetensorsFile, RefusesHolesOverlapsAndSharing) {
  EXPECT_EQ(pair_error("[0,2]", "[2,4]"), "");
  EXPECT_EQ(pair_error("[2,4]", "[0,2]"), "");
  EXPECT_TRUE(mentions(pair_error("[0,2]", "[3,5]"), {"\"b\" begins at byte 3", "not at 2"}));
  EXPECT_TRUE(mentions(pair_error("[0,2]", "[1,3]"), {"\"b\" begins at byte 1", "not at 2"}));
  EXPECT_TRUE(mentions(pair_error("[0,2]", "[0,2]"), {"begins at byte 0", "not at 2"}));
  EXPECT_TRUE(mentions(pair_error("[0,2]", "[2,1]"), {"\"b\" ends before it begins"}));
}

TEST(SafetensorsFile, KeepsHostileNamesOnOneLineOfTheMessage) {
  const std::string error =
      header_error("{\"new\\nline \\u001b[31m" + std::string(100'000, 'n') + "\":7}");

  EXPECT_TRUE(mentions(error, {"\"new\\x0aline \\x1b[31mnnn", "...\""}));
  EXPECT_EQ(error.find('\n'), error.npos);
  EXPECT_LT(error.size(), 500u);
}

// ---- Writing -----------------------------------------------------------------------------------

TEST(SafetensorsWriter, WritesTheBytesOfTheReferenceWriter) {
  const TempDirectory dir;
  const auto path = dir / "golden.safetensors";

  // By falling dtype, then by name, byte by byte: h.10 is before h.2.
  SafetensorsWriter writer(
      path, {{"h.2", DType::F32, {1}}, {"a", DType::U8, {2, 1}}, {"h.10", DType::F32, {}}},
      {{"step", "7000"}});
  writer.append("1234", 4);
  writer.append("56", 2);
  writer.append("78ab", 4);
  writer.finish();

  const std::string header = R"({"__metadata__":{"format":"pt","step":"7000"},)"
                             R"("h.10":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
                             R"("h.2":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},)"
                             R"("a":{"dtype":"U8","shape":[2,1],"data_offsets":[8,10]}})";
  ASSERT_EQ(header.size() % 8, 3u) << "the example needs padding to test it";
  EXPECT_EQ(read_file(path), safetensors_bytes(header + "     ", "12345678ab"));
}

TEST(SafetensorsWriter, RoundTripsEveryType) {
  const TempDirectory dir;
  std::vector<TensorSpec> specs;
  for (int i = 0; i <= static_cast<int>(DType::U64); ++i) {
    const DType dtype = static_cast<DType>(i);
    specs.push_back({std::string(dtype_name(dtype)), dtype, {3, 8}});
  }

  SafetensorsWriter writer(dir / "all", specs);
  for (const TensorSpec& spec : writer.tensors()) {
    const std::string bytes(static_cast<size_t>(dtype_bits(spec.dtype)) * 3, spec.name.back());
    writer.append(bytes.data(), bytes.size());
  }
  writer.finish();

  const SafetensorsFile file(dir / "all");
  ASSERT_EQ(file.tensors().size(), specs.size());
  for (const TensorSpec& spec : specs) {
    const StoredTensor* stored = file.find(spec.name);
    ASSERT_NE(stored, nullptr) << spec.name;
    EXPECT_EQ(stored->dtype, spec.dtype);
    EXPECT_EQ(stored->shape, spec.shape);
    EXPECT_EQ(static_cast<char>(stored->bytes.back()), spec.name.back());
  }
}

TEST(SafetensorsWriter, LeavesNothingWhenItIsNotFinished) {
  const TempDirectory dir;
  dir.write("model", "what was there before");

  { SafetensorsWriter writer(dir / "model", {{"a", DType::F32, {1}}}); }

  EXPECT_EQ(read_file(dir / "model"), "what was there before");
  EXPECT_FALSE(std::filesystem::exists(dir / "model.partial"));
}

TEST(SafetensorsWriter, TakesExactlyTheBytesOfItsTensors) {
  const TempDirectory dir;
  SafetensorsWriter writer(dir / "model", {{"a", DType::F32, {1}}});

  EXPECT_THROW(writer.finish(), Error);
  EXPECT_THROW(writer.append("12345", 5), Error);
  writer.append("1234", 4);
  EXPECT_THROW(writer.append("5", 1), Error);
}

TEST(SafetensorsWriter, RefusesEqualNames) {
  EXPECT_THROW(SafetensorsLayout({{"a", DType::F32, {1}}, {"a", DType::U8, {1}}}), Error);
  EXPECT_THROW(SafetensorsLayout({{"__metadata__", DType::F32, {1}}}), Error);
}

}  // namespace
}  // namespace weft
