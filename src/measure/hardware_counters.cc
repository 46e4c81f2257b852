#include "measure/hardware_counters.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/system_files.h"

namespace weft {
namespace {

int open_counter(uint64_t event) {
  perf_event_attr attributes = {};
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_HARDWARE;
  attributes.config = event;
  attributes.inherit = 1;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  attributes.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  constexpr int kThisThread = 0, kAnyCpu = -1, kNoGroup = -1;
  return static_cast<int>(syscall(SYS_perf_event_open, &attributes, kThisThread, kAnyCpu, kNoGroup,
                                  PERF_FLAG_FD_CLOEXEC));
}

std::string reason(int code) {
  switch (code) {
    case ENOENT:
    case EOPNOTSUPP:
      return "this machine has no such counters, as is common for virtual ones";
    case EACCES:
    case EPERM:
      return fmt::format("the system forbids it (kernel.perf_event_paranoid is {})",
                         file_line("/proc/sys/kernel/perf_event_paranoid"));
    default:
      return std::strerror(code);
  }
}

// Returns the count of a counter, or nothing if it never ran. The count is scaled up if the counter
// shared a register of the processor with other counters.
std::optional<double> value_of(int fd) {
  struct {
    uint64_t value, enabled_ns, running_ns;
  } counted = {};
  const ssize_t bytes = uninterrupted([&] { return ::read(fd, &counted, sizeof(counted)); });
  if (bytes != sizeof(counted) || counted.running_ns == 0) return std::nullopt;
  return static_cast<double>(counted.value) *
         (static_cast<double>(counted.enabled_ns) / static_cast<double>(counted.running_ns));
}

}  // namespace

HardwareCounters::HardwareCounters()
    : instructions_(open_counter(PERF_COUNT_HW_INSTRUCTIONS)),
      cycles_(open_counter(PERF_COUNT_HW_CPU_CYCLES)) {
  if (instructions_.get() < 0 || cycles_.get() < 0) why_not_ = reason(errno);
}

std::optional<HardwareCounts> HardwareCounters::read() const {
  if (instructions_.get() < 0 || cycles_.get() < 0) return std::nullopt;
  const std::optional<double> instructions = value_of(instructions_.get());
  const std::optional<double> cycles = value_of(cycles_.get());
  if (!instructions || !cycles || *cycles <= 0.) return std::nullopt;
  return HardwareCounts{*instructions, *cycles};
}

}  // namespace weft
