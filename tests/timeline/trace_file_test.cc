#include "timeline/trace_file.h"

#include <gtest/gtest.h>

#include "base/gzip.h"
#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

std::string document(const std::string& events) {
  return R"({"displayTimeUnit":"ms","traceEvents":[)" + events + "]}\n";
}

std::string slice(const std::string& name, const std::string& category, int thread, double ts,
                  double dur) {
  return R"({"ph":"X","name":")" + name + R"(","cat":")" + category + R"(","ts":)" +
         std::to_string(ts) + R"(,"dur":)" + std::to_string(dur) + R"(,"pid":1,"tid":)" +
         std::to_string(thread) + R"(,"args":{"phase":")" + category +
         R"(","step":4,"layer":{"step":9}}})";
}

std::string track_name(int thread, const std::string& name) {
  return R"({"ph":"M","name":"thread_name","pid":1,"tid":)" + std::to_string(thread) +
         R"(,"args":{"name":")" + name + R"("}})";
}

class TraceFileTest : public testing::Test {
 protected:
  TraceFile read(const std::string& text) {
    return read_trace_file(directory_.write("trace.json", text));
  }

  TempDirectory directory_;
};

TEST_F(TraceFileTest, ReadsSlicesInTheOrderOfTracksAndBegins) {
  const TraceFile trace = read(
      document(slice("late", "forward", 3, 20, 5) + "," + slice("early", "update", 3, 10, 2.5) +
               "," + slice("other", "forward", 2, 30, 1) + "," + track_name(2, "worker 0") + "," +
               R"({"ph":"C","name":"counter","ts":1,"pid":1,"args":{"step":77}})"));

  ASSERT_EQ(trace.slices.size(), 3u);
  EXPECT_EQ(trace.op_of(trace.slices[0]).text, "other");
  EXPECT_EQ(trace.op_of(trace.slices[1]).text, "early");
  EXPECT_EQ(trace.category_of(trace.slices[1]), "update");
  EXPECT_EQ(trace.slices[1].begin_ns, 10'000);
  EXPECT_EQ(trace.slices[1].duration_ns, 2'500);
  EXPECT_EQ(trace.slices[1].step, 4);
  ASSERT_EQ(trace.tracks.size(), 2u);
  EXPECT_EQ(trace.tracks[0].name, "worker 0");
  EXPECT_EQ(trace.tracks[1].thread, 3);
}

TEST_F(TraceFileTest, ReadsCompressedTracesAndTheirCriticalPath) {
  GzipWriter writer(directory_ / "trace.json.gz");
  writer.append(document(slice("a", "forward", 2, 0, 1) + "," +
                         R"({"ph":"X","name":"b","cat":"update","ts":1,"dur":1,"pid":1,"tid":2,)"
                         R"("args":{"step":4,"critical":true}})"));
  writer.finish();

  const TraceFile trace = read_trace_file(directory_ / "trace.json.gz");

  ASSERT_EQ(trace.slices.size(), 2u);
  EXPECT_FALSE(trace.slices[0].critical);
  EXPECT_TRUE(trace.slices[1].critical);
}

TEST_F(TraceFileTest, KeepsTracksThatHaveNoSlices) {
  const TraceFile trace =
      read(document(slice("op", "forward", 2, 0, 1) + "," + track_name(3, "worker 1")));

  ASSERT_EQ(trace.tracks.size(), 2u);
  EXPECT_EQ(trace.tracks[1].name, "worker 1");
}

TEST_F(TraceFileTest, NamesTheByteAtWhichATraceBreaksOff) {
  const std::string whole = document(slice("op", "forward", 2, 0, 1));

  EXPECT_TRUE(mentions(error_of([&] { read(whole.substr(0, whole.size() - 3)); }),
                       {"[report] ", "trace.json", "breaks off", "byte"}));
}

TEST_F(TraceFileTest, RefusesWhatIsNoTrace) {
  for (const std::string text :
       {"", "{}", "[]", R"({"traceEvents":5})", "\x1f\x8b", R"({"other":[{"ph":"X"}]})"}) {
    EXPECT_TRUE(mentions(error_of([&] { read(text); }), {"[report] ", "trace.json"})) << text;
  }
}

TEST_F(TraceFileTest, RefusesTimesAndNumbersThatNoTraceHas) {
  for (const std::string event :
       {R"({"ph":"X","ts":-1,"dur":1})", R"({"ph":"X","ts":1,"dur":-1})",
        R"({"ph":"X","ts":1e300,"dur":1})", R"({"ph":"X","ts":1,"dur":1,"pid":-1})",
        R"({"ph":"X","ts":1,"dur":1,"tid":1e30})",
        R"({"ph":"X","ts":1,"dur":1,"args":{"step":-5}})", R"({"ph":"X","ts":1e999,"dur":1})"}) {
    EXPECT_TRUE(mentions(error_of([&] { read(document(event)); }), {"trace.json"})) << event;
  }
}

TEST_F(TraceFileTest, ReadsTheNameOfAnOpInPartsAndItsFlops) {
  const TraceFile trace = read(document(
      R"({"ph":"X","name":"x","cat":"update","ts":1,"dur":1,"pid":1,"tid":2,"args":{"kind":"update",)"
      R"("layer":3,"parameter":"qkvw","index":2,"tiles":"r0","flops":24}})"));

  ASSERT_EQ(trace.ops.size(), 1u);
  EXPECT_EQ(trace.ops[0].text, "x");
  EXPECT_EQ(trace.ops[0].name, (OpName{"update", 3, "qkvw", 2, "r0"}));
  EXPECT_EQ(trace.ops[0].flops, 24.);
}

TEST_F(TraceFileTest, TakesTheWholeNameForTheKindWhereThereIsNone) {
  const TraceFile trace =
      read(document(R"({"ph":"X","name":"block3/a[r0]","ts":1,"dur":1,"pid":1,"tid":2,)"
                    R"("args":{"layer":3,"tiles":"r0","step":1}})"));

  EXPECT_EQ(trace.ops[0].name, (OpName{.kind = "block3/a[r0]", .layer = 3}));
  EXPECT_EQ(trace.ops[0].flops, 0.);
}

TEST_F(TraceFileTest, FactsThatNoOpHasAreNone) {
  const TraceFile trace =
      read(document(R"({"ph":"X","name":"a","ts":1,"dur":1,"pid":1,"tid":2,)"
                    R"("args":{"kind":"a","layer":-1,"index":1e30,"flops":-5}})"));

  EXPECT_EQ(trace.ops[0].name, OpName{.kind = "a"});
  EXPECT_EQ(trace.ops[0].flops, 0.);
}

TEST_F(TraceFileTest, SlicesOfOneOpShareItsFacts) {
  const TraceFile trace =
      read(document(slice("a", "forward", 2, 0, 1) + "," + slice("b", "forward", 2, 1, 1) + "," +
                    slice("a", "forward", 3, 2, 1)));

  EXPECT_EQ(trace.ops.size(), 2u);
  EXPECT_EQ(trace.slices[0].op, trace.slices[2].op);
}

}  // namespace
}  // namespace weft
