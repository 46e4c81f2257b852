#include "base/arena.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include "base/error.h"

namespace weft {
namespace {

// Arrays of this size and more ask for 2 MiB pages: fewer TLB misses in the matrix kernels, which
// walk weights with strides of several KiB.
constexpr size_t kHugePageBytes = size_t{2} << 20;

}  // namespace

Arena::~Arena() {
  for (const Mapping& mapping : mappings_) munmap(mapping.address, mapping.bytes);
}

std::byte* Arena::allocate_bytes(size_t bytes) {
  if (bytes == 0) return nullptr;
  // NORESERVE: whether all of it fits is asked once, when all of it is known (base/memory.h).
  void* address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) {
    throw failure("memory", fmt::format("cannot allocate {:.2f} GB", 1e-9 * double(bytes)),
                  "use a smaller model, --batch-size or --seq-len");
  }
  // Advice only: a kernel without huge pages ignores it.
  if (bytes >= kHugePageBytes) madvise(address, bytes, MADV_HUGEPAGE);
  mappings_.push_back({address, bytes});
  bytes_ += bytes;
  return static_cast<std::byte*>(address);
}

}  // namespace weft
