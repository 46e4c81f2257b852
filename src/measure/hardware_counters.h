// HardwareCounters: the instructions and cycles of this process, counted by the processor.
#pragma once

#include <optional>
#include <string>

#include "base/system_calls.h"
#include "timeline/efficiency.h"

namespace weft {

// Counts the user code of the calling thread and of all threads that counted threads start from
// here on. The counts include the polling of idle threads. Many virtual machines and containers
// offer no counters.
class HardwareCounters {
 public:
  HardwareCounters();

  // Returns the counts since construction, or nothing where the system does not count; why_not()
  // then returns the reason.
  std::optional<HardwareCounts> read() const;
  const std::string& why_not() const { return why_not_; }

 private:
  Descriptor instructions_, cycles_;
  std::string why_not_ = "the counters did not run";
};

}  // namespace weft
