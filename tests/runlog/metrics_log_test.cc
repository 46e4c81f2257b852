#include "runlog/metrics_log.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/file_writer.h"
#include "base/files.h"
#include "support/error_of.h"
#include "support/file_size_limit.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::vector<std::string> lines_of(const fs::path& path) {
  std::istringstream text(read_file(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

TEST(MetricsLog, WritesOneObjectALineInTheOrderOfItsKeys) {
  const TempDirectory dir;
  MetricsLog log(dir / "metrics.jsonl", 0);

  log.write({{"kind", "train"}, {"step", 1}, {"loss", 2.5}});
  log.write({{"kind", "val"}, {"step", 1}});

  EXPECT_EQ(read_file(dir / "metrics.jsonl"),
            "{\"kind\":\"train\",\"step\":1,\"loss\":2.5}\n{\"kind\":\"val\",\"step\":1}\n");
}

// A reader that follows the file sees a record as soon as it is written.
TEST(MetricsLog, DoesNotHoldRecordsBack) {
  const TempDirectory dir;
  MetricsLog log(dir / "metrics.jsonl", 0);
  for (int64_t step = 1; step <= 3; ++step) {
    log.write({{"step", step}});

    EXPECT_EQ(lines_of(dir / "metrics.jsonl").size(), size_t(step));
  }
}

TEST(MetricsLog, FloatsReadBackToTheSameBits) {
  const TempDirectory dir;
  const std::vector<double> values = {0.1,
                                      1. / 3.,
                                      -0.,
                                      5.5451774444795623,
                                      1e-300,
                                      std::nextafter(1., 2.),
                                      std::numeric_limits<double>::denorm_min(),
                                      std::numeric_limits<double>::max(),
                                      static_cast<double>(0.1f)};
  MetricsLog log(dir / "metrics.jsonl", 0);

  for (const double value : values) log.write({{"loss", value}});

  const std::vector<std::string> lines = lines_of(dir / "metrics.jsonl");
  ASSERT_EQ(lines.size(), values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const double read = json::parse(lines[i])["loss"].get<double>();
    EXPECT_EQ(std::bit_cast<uint64_t>(read), std::bit_cast<uint64_t>(values[i])) << values[i];
  }
}

TEST(MetricsLog, KeepsTextOnOneLineAndInUtf8) {
  const TempDirectory dir;
  MetricsLog log(dir / "metrics.jsonl", 0);

  log.write({{"text", "one\ntwo \"three\" \xE2\x82\xAC"}});
  log.write({{"text", "not UTF-8: \xFF"}});

  const std::vector<std::string> lines = lines_of(dir / "metrics.jsonl");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(json::parse(lines[0])["text"], "one\ntwo \"three\" \xE2\x82\xAC");
  EXPECT_EQ(json::parse(lines[1])["text"], "not UTF-8: \xEF\xBF\xBD");
}

TEST(MetricsLog, ContinuesWithoutTheStepsThatWillBeDoneAgain) {
  const TempDirectory dir;
  dir.write("metrics.jsonl",
            "{\"kind\":\"run\"}\n{\"kind\":\"train\",\"step\":1}\n{\"kind\":\"train\",\"step\":2}\n"
            "{\"kind\":\"val\",\"step\":2}\n{\"kind\":\"train\",\"step\":3}\n");

  MetricsLog(dir / "metrics.jsonl", 2).write({{"kind", "run"}, {"first_step", 3}});

  EXPECT_EQ(
      lines_of(dir / "metrics.jsonl"),
      (std::vector<std::string>{"{\"kind\":\"run\"}", "{\"kind\":\"train\",\"step\":1}",
                                "{\"kind\":\"train\",\"step\":2}", "{\"kind\":\"val\",\"step\":2}",
                                "{\"kind\":\"run\",\"first_step\":3}"}));
}

TEST(MetricsLog, KeepsTheBitsOfTheLinesThatItKeeps) {
  const TempDirectory dir;
  const std::string kept = "{\"step\": 1,  \"loss\":5.54517744447956230}\n";
  dir.write("metrics.jsonl", kept + "{\"step\":2}\n");

  MetricsLog(dir / "metrics.jsonl", 1);

  EXPECT_EQ(read_file(dir / "metrics.jsonl"), kept);
}

TEST(MetricsLog, DropsATornLineAndWhatIsNoRecord) {
  const TempDirectory dir;
  dir.write("metrics.jsonl", "{\"step\":1}\n\n[1]\nnonsense\n{\"step\":2,\"lo");

  MetricsLog(dir / "metrics.jsonl", 2).write({{"step", 3}});

  EXPECT_EQ(read_file(dir / "metrics.jsonl"), "{\"step\":1}\n{\"step\":3}\n");
}

TEST(MetricsLog, SaysWhichFileItCannotWrite) {
  const TempDirectory dir;
  dir.write("file", "");

  const std::string error = error_of([&] { MetricsLog(dir / "file/metrics.jsonl", 0); });

  EXPECT_TRUE(mentions(error, {"[file.write]", "file/metrics.jsonl", "a file stands where"}));
}

TEST(MetricsLog, SaysWhyALineWaitsAndWritesItWhenTheDiskTakesIt) {
  const TempDirectory dir;
  MetricsLog log(dir / "metrics.jsonl", 0);
  log.write({{"step", 1}});

  std::string error;
  {
    const FileSizeLimit full(20);
    error = log.write({{"step", 2}});
    EXPECT_EQ(log.write({{"step", 3}}), error);
    EXPECT_TRUE(mentions(error_of([&] { log.sync(); }), {"File too large"}));
  }

  EXPECT_TRUE(mentions(error, {"cannot write", "metrics.jsonl", "File too large"}));
  EXPECT_EQ(read_file(dir / "metrics.jsonl").size(), 20u);
  EXPECT_EQ(log.write({{"step", 4}}), "");
  EXPECT_EQ(read_file(dir / "metrics.jsonl"),
            "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n{\"step\":4}\n");
}

TEST(MetricsLog, ARunThatEndsWithATornLineContinuesBehindIt) {
  const TempDirectory dir;
  {
    MetricsLog log(dir / "metrics.jsonl", 0);
    log.write({{"step", 1}});
    const FileSizeLimit full(15);
    log.write({{"step", 2}});
  }

  MetricsLog(dir / "metrics.jsonl", 1).write({{"step", 2}});

  EXPECT_EQ(read_file(dir / "metrics.jsonl"), "{\"step\":1}\n{\"step\":2}\n");
}

}  // namespace
}  // namespace weft
