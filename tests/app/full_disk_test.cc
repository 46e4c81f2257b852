// A disk that is really full: a small tmpfs in a mount namespace of its own.
#include <gtest/gtest.h>

#include "app/weft_command.h"

namespace weft {
namespace {

class FullDisk : public WeftCommand {
 protected:
  // Runs a script in which $disk is a tmpfs of 400 kB and $train trains into $disk/run.
  CommandResult on_small_disk(const std::string& script) {
    write_text();
    std::filesystem::create_directory(path("disk"));
    const std::string setup =
        "disk='" + path("disk") + "'; mount -t tmpfs -o size=400k none \"$disk\" || exit 77; " +
        "train='" + WEFT_BINARY + " train --data " + path("text.txt") + " --model " + kTinyModel +
        " --batch-size 2 --steps 6 --checkpoint-every 1 --out " + path("disk/run") + "'; weft='" +
        WEFT_BINARY + "'; ";
    return run_command({"/bin/sh", "-c", "exec unshare --user --map-root-user --mount sh -c \"$0\"",
                        setup + script});
  }

  // The system may not let users mount; then nothing can be said here.
  static bool could_not_mount(const CommandResult& result) {
    return result.status == 77 || result.status == 127 ||
           result.err.find("unshare") != std::string::npos;
  }
};

// A checkpoint takes about 100 kB.
TEST_F(FullDisk, KeepsWhatWasSavedSaysWhatToDoAndContinuesWhenThereIsSpace) {
  const CommandResult result = on_small_disk(
      "head -c 150000 /dev/zero > \"$disk/filler\"; "
      "$train --keep 0; echo \"first $?\"; "
      "for c in \"$disk\"/run/checkpoints/*; do $weft inspect \"$c\" >/dev/null || exit 3; done; "
      "rm \"$disk/filler\"; $train --keep 1 --resume; echo \"second $?\"");
  if (could_not_mount(result)) GTEST_SKIP() << "no mount namespaces here: " << result.err;

  EXPECT_TRUE(mentions(result.out, {"first 1", "second 0", "step_00000006"}));
  EXPECT_TRUE(
      mentions(result.err, {"no checkpoint of step 3", "No space left on device", "the run goes on",
                            "weft: error: [checkpoint.write] step 6: cannot write",
                            "the disk is full; free some space", "resumed from", "step_00000002"}));
}

TEST_F(FullDisk, WithoutSpaceForTheFirstFileNothingStarts) {
  const CommandResult result =
      on_small_disk("head -c 500000 /dev/zero > \"$disk/filler\" 2>/dev/null; $train");
  if (could_not_mount(result)) GTEST_SKIP() << "no mount namespaces here: " << result.err;

  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(mentions(result.err, {"weft: error:", "config.toml", "No space left on device",
                                    "the disk is full; free some space"}));
}

}  // namespace
}  // namespace weft
