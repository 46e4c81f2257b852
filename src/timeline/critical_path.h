// The critical path of a run: the chain of ops that determined how long it took.
#pragma once

#include <cstdint>
#include <vector>

#include "timeline/timeline.h"

namespace weft {

// Why an op began no earlier.
enum class Cause : uint8_t {
  kNone,        // it is the first op of the path
  kDependence,  // it waited for a predecessor
  kSameWorker,  // its worker was busy with the op before it
};

struct CriticalOp {
  uint32_t op = 0;  // in list order
  Cause cause = Cause::kNone;
};

// The path from the first op to the one that ended last; empty if no op ran. Before each op comes
// the one that ended last before it began, among its predecessors and the op before it on its
// worker (if two ended at once, the predecessor). An op that waits occupies its worker only if that
// worker ran no other op meanwhile. Gaps between two ops of the path are the executor's time.
//
// This is the path of one recorded run. The longest path (predict/longest_path.h) is the least time
// that any schedule could take, from costs alone.
std::vector<CriticalOp> critical_path(const TracedProgram& program, const TracedRun& run);

}  // namespace weft
