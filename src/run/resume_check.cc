#include "run/resume_check.h"

#include <fmt/format.h>

#include "base/error.h"

namespace weft {
namespace {

template <typename T>
void require_equal(const char* what, const T& was, const T& is) {
  if (was == is) return;
  throw input_error("train", fmt::format("--resume: the run had {} {}, now {}", what, was, is),
                    "use the same value, or start another run in another --out");
}

std::string hex(uint64_t fingerprint) { return fmt::format("{:016x}", fingerprint); }

}  // namespace

void check_continues(const RunState& before, const RunState& now, int64_t steps,
                     const std::function<void(const std::string&)>& note) {
  require_equal("--seed", before.seed, now.seed);
  require_equal("--shuffle", before.shuffle, now.shuffle);
  require_equal("--seq-len", before.T, now.T);
  require_equal("sequences per step", before.sequences_per_step, now.sequences_per_step);
  require_equal("data with fingerprint", hex(before.data_fingerprint), hex(now.data_fingerprint));
  if (before.step > steps) {
    throw input_error("train",
                      fmt::format("--resume: the run has done {} steps, and is now to end after {}",
                                  before.step, steps),
                      "give more --steps or --epochs, or start another run in another --out");
  }
  const auto note_change = [&](const char* what, const std::string& was, const std::string& is) {
    if (was == is) return;
    note(fmt::format("{} changed from ({}) to ({}): the run continues, but not bit for bit", what,
                     was, is));
  };
  note_change("schedule", before.schedule, now.schedule);
  note_change("optimizer", before.optimizer, now.optimizer);
  note_change("batching", before.batching, now.batching);
  note_change("precision", before.precision, now.precision);
}

}  // namespace weft
