#include "report/report.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "report/report_assets.h"
#include "report/report_columns.h"
#include "report/report_data.h"
#include "support/error_of.h"

namespace weft {
namespace {

using nlohmann::json;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
const std::string kHostile = "</script><script>alert(1)</script><!-- & \" ' \xff \n";

ReportRun run_of(int64_t steps) {
  ReportRun run;
  run.name = "run";
  StepColumns& c = run.log.steps;
  for (int64_t i = 1; i <= steps; ++i) {
    c.step.push_back(i);
    c.tokens.push_back(512 * i);
    for (auto* column : {&c.elapsed_s, &c.loss, &c.lr, &c.grad_norm, &c.tokens_per_s, &c.mfu}) {
      column->push_back(0.25 * static_cast<double>(i));
    }
  }
  return run;
}

ReportTrace trace_of(int slices) {
  ReportTrace trace;
  trace.name = "trace";
  trace.file.ops = {
      {.text = "a", .name = {}}, {.text = "b", .name = {}}, {.text = "never used", .name = {}}};
  trace.file.categories = {"forward"};
  trace.file.tracks = {{1, 2, "rank 0", "worker 0"}};
  for (int i = 0; i < slices; ++i) {
    trace.file.slices.push_back({.begin_ns = 10 * i,
                                 .duration_ns = 9,
                                 .step = 1 + i / 2,
                                 .op = static_cast<uint32_t>(i % 2)});
  }
  return trace;
}

json data_of(const Report& report, const ReportLimits& limits = {}) {
  return json::parse(report_json(report, limits));
}

TEST(Report, ColumnsAreCompactAndReadBack) {
  Report report;
  report.runs = {run_of(4)};
  report.runs[0].log.steps.loss = {1.23456789, kNaN, 3e-7, 4.};

  const json run = data_of(report)["runs"][0];

  EXPECT_EQ(run["step"], (json{1, 4}));
  EXPECT_EQ(run["tokens"], (json{512, 4}));
  EXPECT_EQ(run["loss"], (json{1.23457, nullptr, 3e-7, 4.}));
}

TEST(Report, DifferencesAreRunsOfEqualOnes) {
  EXPECT_EQ(differences_json({}), "[]");
  EXPECT_EQ(differences_json({0, 0, 0}), "[0,3]");
  EXPECT_EQ(differences_json({5, 6, 7, 7, 3}), "[5,1,1,2,0,1,-4,1]");
  EXPECT_EQ(differences_json({1, 2, 3, 9}, {0, 2, 3}), "[1,1,2,1,6,1]");
}

// The names of runs and traces, and samples, stay text in the page, whatever they contain.
TEST(Report, NoTextEndsTheScriptThatHoldsIt) {
  Report report;
  report.runs = {run_of(1)};
  report.runs[0].name = report.runs[0].path = report.runs[0].config_toml = kHostile;
  report.runs[0].log.run = json_text({{"kind", "run"}, {kHostile, kHostile}});
  report.runs[0].log.samples = {{1, kHostile}};
  report.traces = {trace_of(1)};
  report.traces[0].name = report.traces[0].file.ops[0].text = kHostile;
  report.traces[0].kinds = {{.label = kHostile}};
  report.notes = {kHostile};

  const std::string data = report_json(report);
  const std::string page = report_page(report);

  EXPECT_EQ(data.find('<'), data.npos);
  EXPECT_EQ(data.find('\n'), data.npos);
  EXPECT_EQ(page.find("<script>alert"), page.npos);
  const std::string read_back = json::parse(data)["runs"][0]["samples"][0][1];
  EXPECT_TRUE(read_back.starts_with("</script><script>alert(1)</script><!-- & \" ' "));
}

TEST(Report, EscapesWhatHtmlGivesAMeaningTo) {
  EXPECT_EQ(escape_html("<a href='x'>&\"</a>"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt;");
}

TEST(Report, FactsAreTheRunLineWithoutNestedValues) {
  Report report;
  report.runs = {run_of(1)};
  report.runs[0].log.run = R"({"kind":"run","ranks":2,"model":"d12","nested":{"a":1},"list":[1]})";

  const json facts = data_of(report)["runs"][0]["facts"];

  EXPECT_EQ(facts, (json{{"ranks", 2}, {"model", "d12"}, {"parts", 0}}));
}

TEST(Report, LongRunsAreThinnedWithANote) {
  Report report;
  report.runs = {run_of(5000), run_of(10)};
  report.runs[0].log.steps.loss[3210] = 1e9;

  const json data = data_of(report, {.rows = 400});

  EXPECT_LE(data["runs"][0]["loss"].size(), 200u);
  EXPECT_NE(std::ranges::find(data["runs"][0]["loss"], json(1e9)), data["runs"][0]["loss"].end());
  EXPECT_EQ(data["runs"][1]["loss"].size(), 10u);
  ASSERT_EQ(data["notes"].size(), 1u);
  EXPECT_TRUE(mentions(data["notes"][0].get<std::string>(), {"run has 5000 steps"}));
}

TEST(Report, SamplesAreChosenEvenlyAndCutBetweenCharacters) {
  Report report;
  report.runs = {run_of(1)};
  for (int i = 0; i <= 100; ++i) report.runs[0].log.samples.push_back({i, "\u00e4\u00e4"});

  const json data = data_of(report, {.samples = 3, .sample_bytes = 3});

  EXPECT_EQ(data["runs"][0]["samples"],
            (json{{0, "\u00e4 [...]"}, {50, "\u00e4 [...]"}, {100, "\u00e4 [...]"}}));
  EXPECT_EQ(data["notes"].size(), 1u);
}

TEST(Report, TimelinesAreColumnsWithTheNamesThatTheyUse) {
  Report report;
  report.traces = {trace_of(3)};

  const json timeline = data_of(report)["traces"][0]["timeline"];

  EXPECT_EQ(timeline["names"], (json{"a", "b"}));
  EXPECT_EQ(timeline["name"], (json{0, 1, 0}));
  EXPECT_EQ(timeline["begin"], (json{0, 10, 10}));
  EXPECT_EQ(timeline["duration"], (json{9, 9, 9}));
  EXPECT_EQ(timeline["step"], (json{1, 1, 0, 1, 1, 1}));
  EXPECT_EQ(timeline["tracks"][0]["name"], "worker 0");
}

TEST(Report, LongTimelinesAreCutInTimeWithANote) {
  Report report;
  report.traces = {trace_of(1000)};

  const json data = data_of(report, {.slices = 300});

  EXPECT_EQ(data["traces"][0]["timeline"]["begin"].size(), 300u);
  ASSERT_EQ(data["notes"].size(), 1u);
  EXPECT_TRUE(mentions(data["notes"][0].get<std::string>(), {"1000 slices", "0.003 ms"}));
}

TEST(Report, TheLogsNoteIsANoteOfThePage) {
  Report report;
  report.runs = {run_of(1)};
  report.runs[0].log.note = "it breaks off";

  EXPECT_EQ(data_of(report)["notes"], (json{"it breaks off"}));
}

TEST(Report, PageForbidsTheNetworkAndNamesItsScripts) {
  const std::string page = report_page({});
  const ReportAssets& assets = report_assets();

  EXPECT_TRUE(mentions(page, {"default-src 'none'", assets.script.sha256, assets.style.sha256,
                              assets.chart_script.sha256, assets.chart_style.sha256}));
  EXPECT_TRUE(mentions(page, {"Permission is hereby granted", "Dan Vanderkam"}));
  for (const char* field : {"{{policy}}", "{{title}}", "{{data}}", "{{script}}"}) {
    EXPECT_EQ(page.find(field), page.npos) << field;
  }
  EXPECT_EQ(page.find("sourceMappingURL"), page.npos);
}

// In the form that browsers expect: 43 letters of base64 and one '='.
TEST(Report, ChecksumsAreInBase64) {
  const std::string_view sha256 = report_assets().script.sha256;

  EXPECT_EQ(sha256.size(), 44u);
  EXPECT_EQ(sha256.find('='), 43u);
}

TEST(Report, ItsOwnScriptsEndNoElement) {
  const ReportAssets& assets = report_assets();

  for (const ReportAsset* script : {&assets.script, &assets.chart_script}) {
    for (const char* markup : {"</script", "<script", "<!--"}) {
      EXPECT_EQ(script->text.find(markup), script->text.npos) << markup;
    }
  }
}

}  // namespace
}  // namespace weft
