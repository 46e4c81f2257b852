// Writes timelines for Paraver (tools.bsc.es/paraver). docs/timelines.md describes its display.
#pragma once

#include <cstdint>
#include <filesystem>

#include "timeline/timeline.h"

namespace weft {

// The states of a thread, one at any time. The numbers are Paraver's.
enum class ParaverState : uint8_t { kIdle = 0, kRunning = 1, kGroupCommunication = 13 };

// Types of events. A value holds until the next event of its type on the thread; 0 ends it.
enum class ParaverEvent : uint32_t {
  kKind = 1001,               // the kind of the op that runs; the .pcf has the labels
  kPhase = 1002,              // 1 + Phase
  kLayer = 1003,              // 1 + layer; 0 also for an op of no layer
  kStep = 1004,               // while a program runs, on all threads of its rank
  kProgram = 1005,            // likewise
  kUnderWay = 1006,           // the number of transfers begun by the thread that have not ended
  kTransfer = 1007,           // the kind of the transfer that begins here; it has no end event
  kMpiCollective = 50000002,  // Paraver's own: the thread waits for a transfer that it began
};

// Writes `path`, whose name ends in .prv, and beside it a .pcf with the labels of values and a .row
// with the names of ranks and workers. A rank becomes a task, a worker a thread. A thread is in
// group communication while it runs no op and a transfer that it began is under way. The files name
// no nodes and CPUs. Throws Error (kFailure) if a file cannot be written. REQUIRES: ranks are
// numbered from 0 in their order.
void write_paraver(const std::filesystem::path& path, const Timeline& timeline);

}  // namespace weft
