#include "app/commands/scaling/child_process.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace weft {
namespace {

TEST(ChildProcess, CollectsBothOutputsAndTheStatus) {
  const ChildResult result = run_child({"sh", "-c", "cat; echo out; echo err >&2; exit 3"});

  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
}

// More than a pipe holds, on both at once.
TEST(ChildProcess, ReadsWhatDoesNotFitIntoAPipe) {
  const ChildResult result =
      run_child({"sh", "-c", "head -c 300000 /dev/zero >&2; head -c 200000 /dev/zero"});

  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.out.size(), 200000u);
  EXPECT_EQ(result.err.size(), 300000u);
}

TEST(ChildProcess, AddsVariablesThatAreNotThere) {
  ::setenv("WEFT_TEST_SET", "before", 1);
  const ChildResult result = run_child({"sh", "-c", "echo $WEFT_TEST_SET $WEFT_TEST_NEW"},
                                       {"WEFT_TEST_SET=after", "WEFT_TEST_NEW=a=b"});
  ::unsetenv("WEFT_TEST_SET");

  EXPECT_EQ(result.out, "before a=b\n");
  EXPECT_EQ(std::getenv("WEFT_TEST_NEW"), nullptr);
}

TEST(ChildProcess, SaysWhichSignalEndedIt) {
  EXPECT_EQ(run_child({"sh", "-c", "kill -9 $$"}).status, 128 + 9);
}

TEST(ChildProcess, AProgramThatIsNotThereEndsAsInAShell) {
  EXPECT_EQ(run_child({"no-such-program"}).status, 127);
  EXPECT_EQ(find_program("no-such-program"), "");
  EXPECT_EQ(find_program("/no/such/program"), "");
  EXPECT_EQ(find_program("/"), "");
  EXPECT_TRUE(find_program("sh").ends_with("/sh"));
}

}  // namespace
}  // namespace weft
