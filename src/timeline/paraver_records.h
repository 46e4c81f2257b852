// The records of a Paraver trace, in the order of the file.
#pragma once

#include <cstdint>
#include <vector>

#include "timeline/paraver_trace.h"

namespace weft {

// In the order of the file: of records at one time, ends come before begins.
enum class ParaverRecordKind : uint8_t {
  kOpEnds,
  kTransferEnds,
  kWaitEnds,
  kRunEnds,
  kRunBegins,
  kState,
  kWaitBegins,
  kTransferBegins,
  kOpBegins,
};

struct ParaverRecord {
  int64_t at_ns = 0;
  ParaverRecordKind kind = ParaverRecordKind::kState;
  ParaverState state = ParaverState::kIdle;  // of kState
  uint32_t rank = 0, worker = 0;             // from 0
  uint32_t run = 0, op = 0;                  // the run or op that begins
  int64_t until_ns = 0;                      // of kState
  int64_t under_way = 0;                     // the number of transfers under way from here on
};

// Covers the time from 0 to the end of the timeline. Ops that took no time are left out.
std::vector<ParaverRecord> paraver_records(const Timeline& timeline);

}  // namespace weft
