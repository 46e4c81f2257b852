#include "base/arena.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include "base/error.h"

namespace weft {
namespace {

// Arrays from half this size on begin at a 2 MiB page and ask for such pages: fewer TLB misses in
// the matrix kernels, which walk weights with strides of several KiB.
constexpr size_t kHugePageBytes = size_t{2} << 20;

}  // namespace

Arena::~Arena() {
  for (const Mapping& mapping : mappings_) munmap(mapping.address, mapping.bytes);
}

std::byte* Arena::allocate_bytes(size_t bytes) {
  if (bytes == 0) return nullptr;
  const bool huge = bytes >= kHugePageBytes / 2;
  const size_t mapped = huge ? bytes + 2 * kHugePageBytes : bytes;
  // NORESERVE: whether all of it fits is asked once, when all of it is known (base/memory.h).
  void* address = mmap(nullptr, mapped, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) {
    throw failure("memory", fmt::format("cannot allocate {:.2f} GB", 1e-9 * double(bytes)),
                  "use a smaller model, --batch-size or --seq-len");
  }
  mappings_.push_back({address, mapped});
  bytes_ += bytes;
  if (!huge) return static_cast<std::byte*>(address);
  const auto unaligned = reinterpret_cast<uintptr_t>(address) % kHugePageBytes;
  std::byte* data =
      static_cast<std::byte*>(address) + (kHugePageBytes - unaligned) % kHugePageBytes;
  // Advice only: a kernel without huge pages ignores it.
  madvise(data, (bytes + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes, MADV_HUGEPAGE);
  return data;
}

}  // namespace weft
