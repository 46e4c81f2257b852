#include "report/profile.h"

#include <gtest/gtest.h>

#include "measure/step_profile.h"

namespace weft {
namespace {

// One worker, an op a millisecond.
ReportTrace trace_of(const std::vector<std::string>& ops, int64_t steps) {
  ReportTrace trace;
  TraceFile& file = trace.file;
  file.names = ops;
  file.categories = {"forward", "program"};
  file.tracks = {{1, 1, "rank 0", "programs"}, {1, 2, "rank 0", "worker 0"}};
  for (int64_t step = 1; step <= steps; ++step) {
    for (size_t i = 0; i < ops.size(); ++i) {
      file.slices.push_back({.begin_ns = std::ssize(file.slices) * 1'000'000,
                             .duration_ns = 1'000'000,
                             .step = step,
                             .track = 1,
                             .name = static_cast<uint32_t>(i)});
    }
  }
  return trace;
}

TEST(ReportProfile, SumsUpKindsAndLayers) {
  ReportTrace trace = trace_of({"block0/qkv/forward[r0,c0]", "block0/qkv/forward[r1,c0]",
                                "block11/qkv/forward[r0,c0]", "embedding/forward[0]"},
                               2);

  profile_trace(nullptr, trace);

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

TEST(ReportProfile, SharesTheFlopsOfAKindAmongItsSlices) {
  const TracedModel model{{2, 1, 2, 4, 100}, 4, 8};
  ReportTrace trace = trace_of(
      {"block0/qkv/forward[r0,c0]", "block1/qkv/forward[r0,c0]", "block1/ln1/forward[0]"}, 3);

  profile_trace(&model, trace);

  const double flops = step_flops(model.config, 2, 4).at("qkv/forward");
  EXPECT_EQ(trace.kinds[0].label, "qkv/forward");
  EXPECT_DOUBLE_EQ(trace.kinds[0].flops, 3 * flops);
  EXPECT_NEAR(trace.kinds[0].counted_s, 6e-3, 1e-12);
  EXPECT_DOUBLE_EQ(trace.layers[0].flops, 1.5 * flops);
  EXPECT_NEAR(trace.layers[1].counted_s, 3e-3, 1e-12);
}

TEST(ReportProfile, ProgramsAndNamesWithoutALayerAreOutsideOfLayers) {
  ReportTrace trace = trace_of({"blocks/a", "block/a", "block12", "block-1/a", "block7x/a"}, 1);
  trace.file.slices.push_back({.duration_ns = 5'000'000, .track = 0, .category = 1});

  profile_trace(nullptr, trace);

  ASSERT_EQ(trace.layers.size(), 1u);
  EXPECT_EQ(trace.layers[0].label, "outside of layers");
  EXPECT_EQ(trace.layers[0].ops, 5);
}

}  // namespace
}  // namespace weft
