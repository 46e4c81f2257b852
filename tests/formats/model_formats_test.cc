#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

#include "formats/hf_formats.h"
#include "formats/llmc_model.h"
#include "formats/model_files.h"
#include "formats/model_format.h"
#include "formats/test_model.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

constexpr Config kConfig = {.L = 2, .NH = 1, .C = 3, .T = 5, .V = 7};

// A model of the format in a directory of its own.
std::filesystem::path write_with(const ModelFormat& format, const TempDirectory& dir) {
  const std::filesystem::path directory = dir / format.name();
  std::filesystem::create_directories(directory);
  const std::filesystem::path path =
      format.is_directory() ? directory : directory / ("model" + std::string(format.extension()));
  TestModel model = filled_model(kConfig);
  format.write(path, {.table = model.table(),
                      .values_of = values_of(model.view()),
                      .end_of_text = 4,
                      .tokenizer_files = {}});
  return path;
}

TEST(ModelFormats, EachReadsWhatItWrites) {
  for (const ModelFormat* format : model_formats()) {
    SCOPED_TRACE(format->name());
    const TempDirectory dir;
    const std::filesystem::path path = write_with(*format, dir);
    TestModel model(kConfig);

    EXPECT_EQ(format->read_config(path), kConfig);
    EXPECT_EQ(read_all(*format->open(path), model.view()).count, 0);

    TestModel expected = filled_model(kConfig);
    expect_equal_weights(model, expected);
  }
}

TEST(ModelFormats, ThePathOfAModelFindsItsFormat) {
  for (const ModelFormat* format : model_formats()) {
    const TempDirectory dir;
    EXPECT_EQ(&find_model(write_with(*format, dir)).format, format) << format->name();
  }
}

TEST(ModelFormats, ExactlyOneMatchesAModel) {
  for (const ModelFormat* written : model_formats()) {
    const TempDirectory dir;
    const std::filesystem::path path = write_with(*written, dir);
    for (const ModelFormat* format : model_formats()) {
      if (format->is_directory() != written->is_directory()) continue;
      EXPECT_EQ(format->matches(path), format == written)
          << format->name() << " and a model of " << written->name();
    }
  }
}

TEST(ModelFormats, HaveNamesAndExtensionsOfTheirOwn) {
  std::set<std::string> names, extensions;
  for (const ModelFormat* format : model_formats()) {
    EXPECT_TRUE(names.insert(format->name()).second) << format->name();
    EXPECT_TRUE(extensions.insert(format->extension()).second) << format->extension();
  }
}

TEST(ModelFormats, TheEndOfTextIsTheConfigsOrTheLastToken) {
  const TempDirectory dir;

  EXPECT_EQ(hf_directory_format().read_end_of_text(write_with(hf_directory_format(), dir)), 4);
  EXPECT_EQ(safetensors_format().read_end_of_text(write_with(safetensors_format(), dir)), 4);
  EXPECT_EQ(llmc_format().read_end_of_text(write_with(llmc_format(), dir)), kConfig.V - 1);
}

}  // namespace
}  // namespace weft
