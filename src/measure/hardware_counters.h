// HardwareCounters: instructions and cycles of this process, as the processor counts them.
#pragma once

#include <optional>
#include <string>

#include "base/system_calls.h"
#include "timeline/efficiency.h"

namespace weft {

// Counts user code of the calling thread and of threads that it, or a counted one, starts from here
// on. So it sees what idle threads do while they look for work, too. Not available in many virtual
// machines and containers.
class HardwareCounters {
 public:
  HardwareCounters();

  // Since it was made. Nothing where the system does not count: then why_not() says why.
  std::optional<HardwareCounts> read() const;
  const std::string& why_not() const { return why_not_; }

 private:
  Descriptor instructions_, cycles_;
  std::string why_not_ = "the counters did not run";
};

}  // namespace weft
