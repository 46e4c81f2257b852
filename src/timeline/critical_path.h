// The critical path of a run: the ops that decided how long it took.
#pragma once

#include <cstdint>
#include <vector>

#include "timeline/timeline.h"

namespace weft {

// What the begin of an op waited for last.
enum class Cause : uint8_t {
  kNone,        // nothing: the first op of the path
  kDependence,  // a predecessor
  kSameWorker,  // the op before it on its worker, which was not free earlier
};

struct CriticalOp {
  uint32_t op = 0;  // in list order
  Cause cause = Cause::kNone;
};

// From the first op to the one that ended last. An op is preceded by the predecessor, or by the op
// before it on its worker, that ended last before it began; of both at once, by the predecessor. An
// op that waits counts for its worker only if that ran nothing meanwhile: then it stayed with it.
// Empty if nothing ran. Between two ops of the path, what is left is the executor's time.
std::vector<CriticalOp> critical_path(const TracedProgram& program, const TracedRun& run);

}  // namespace weft
