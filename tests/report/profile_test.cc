#include "report/profile.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

constexpr int64_t kMillisecond = 1'000'000;

TraceOp op_of(const std::string& kind, int64_t layer, double flops = 0.) {
  const OpName name{.kind = kind, .layer = layer};
  return {name.text(), name, flops};
}

// One worker that runs one op per millisecond.
ReportTrace trace_of(const std::vector<TraceOp>& ops, int64_t steps) {
  ReportTrace trace;
  TraceFile& file = trace.file;
  file.ops = ops;
  file.categories = {"forward", "program"};
  file.tracks = {
      {1, 1, "rank 0", "programs"}, {1, 2, "rank 0", "worker 0"}, {1, 3, "rank 0", "under way"}};
  for (int64_t step = 1; step <= steps; ++step) {
    for (size_t i = 0; i < ops.size(); ++i) {
      file.slices.push_back({.begin_ns = std::ssize(file.slices) * kMillisecond,
                             .duration_ns = kMillisecond,
                             .step = step,
                             .track = 1,
                             .op = static_cast<uint32_t>(i)});
    }
  }
  return trace;
}

TEST(ReportProfile, SumsUpKindsAndLayers) {
  ReportTrace trace = trace_of({op_of("qkv/forward", 0), op_of("qkv/forward", 0),
                                op_of("qkv/forward", 11), op_of("embedding/forward", -1)},
                               2);

  profile_trace(trace);

  EXPECT_EQ(trace.steps, 2);
  ASSERT_EQ(trace.kinds.size(), 2u);
  EXPECT_EQ(trace.kinds[0].label, "qkv/forward");
  EXPECT_EQ(trace.kinds[0].ops, 6);
  EXPECT_EQ(trace.kinds[0].flops, 0.);
  ASSERT_EQ(trace.kinds[0].seconds_by_phase.size(), 1u);
  EXPECT_EQ(trace.kinds[0].seconds_by_phase[0].first, "forward");
  EXPECT_NEAR(trace.kinds[0].seconds_by_phase[0].second, 6e-3, 1e-12);
  ASSERT_EQ(trace.layers.size(), 3u);
  EXPECT_EQ(trace.layers[0].label, "layer 0");
  EXPECT_EQ(trace.layers[1].label, "layer 11");
  EXPECT_EQ(trace.layers[2].label, "outside of layers");
}

TEST(ReportProfile, AddsUpTheFlopsThatTheTraceHas) {
  ReportTrace trace = trace_of(
      {op_of("qkv/forward", 0, 30.), op_of("qkv/forward", 1, 50.), op_of("ln1/forward", 1)}, 3);

  profile_trace(trace);

  EXPECT_EQ(trace.kinds[0].label, "qkv/forward");
  EXPECT_DOUBLE_EQ(trace.kinds[0].flops, 3 * 80.);
  EXPECT_NEAR(trace.kinds[0].counted_s, 6e-3, 1e-12);
  EXPECT_DOUBLE_EQ(trace.layers[0].flops, 3 * 30.);
  EXPECT_DOUBLE_EQ(trace.layers[1].flops, 3 * 50.);
  EXPECT_NEAR(trace.layers[1].counted_s, 3e-3, 1e-12);
}

TEST(ReportProfile, LeavesOutProgramsAndOpsThatWait) {
  ReportTrace trace = trace_of({op_of("a", -1), op_of("b", -1)}, 1);
  trace.file.slices.push_back({.duration_ns = 5 * kMillisecond, .track = 0, .category = 1});
  trace.file.slices.push_back({.duration_ns = 5 * kMillisecond, .track = 2});

  profile_trace(trace);

  ASSERT_EQ(trace.layers.size(), 1u);
  EXPECT_EQ(trace.layers[0].label, "outside of layers");
  EXPECT_EQ(trace.layers[0].ops, 2);
}

}  // namespace
}  // namespace weft
