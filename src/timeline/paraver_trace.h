// A timeline as files for Paraver (tools.bsc.es/paraver). docs/timelines.md says what one sees
// there.
#pragma once

#include <cstdint>
#include <filesystem>

#include "timeline/timeline.h"

namespace weft {

// States of a thread, which fill its time without overlaps. Numbers are Paraver's.
enum class ParaverState : uint8_t { kIdle = 0, kRunning = 1, kGroupCommunication = 13 };

// Types of events. A value holds until the next of its type on the thread; 0 is the end.
enum class ParaverEvent : uint32_t {
  kKind = 1001,               // what the thread runs; labels are in the .pcf
  kPhase = 1002,              // 1 + Phase
  kLayer = 1003,              // 1 + layer; 0 also for what belongs to none
  kStep = 1004,               // while a program runs, on all threads of its rank
  kProgram = 1005,            // the same
  kUnderWay = 1006,           // how many transfers that the thread began have not ended
  kTransfer = 1007,           // the kind of the transfer that begins here, and no end
  kMpiCollective = 50000002,  // Paraver's own: the thread waits for a transfer that it began
};

// Writes PATH, whose name ends in .prv, and beside it a .pcf with the labels of values and a .row
// with the names of ranks and workers. A rank is a task, a worker a thread; a thread that runs no
// op while a transfer is under way that it began is in group communication. Nothing is said of
// nodes and CPUs. Throws Error (kFailure) if a file cannot be written. REQUIRES: ranks are numbered
// from 0 in their order.
void write_paraver(const std::filesystem::path& path, const Timeline& timeline);

}  // namespace weft
