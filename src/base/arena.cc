#include "base/arena.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"

namespace weft {
namespace {

// Arrays of at least half this size begin at a 2 MiB page and request such pages. That saves TLB
// misses in the matrix kernels, which walk weights with strides of several KiB.
constexpr size_t kHugePageBytes = size_t{2} << 20;

}  // namespace

Arena::~Arena() {
  for (const Mapping& mapping : mappings_) munmap(mapping.address, mapping.bytes);
}

void Arena::release(Vector<float> array) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<uintptr_t>(array.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<uintptr_t>(array.data() + array.size()) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

std::byte* Arena::allocate_bytes(size_t bytes, Pages pages) {
  if (bytes == 0) return nullptr;
  const bool huge = pages == Pages::kLarge && bytes >= kHugePageBytes / 2;
  const size_t mapped = huge ? bytes + 2 * kHugePageBytes : bytes;
  // NORESERVE: base/memory.h checks once whether all arrays together fit.
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
  // This is advice only: a kernel without huge pages ignores it.
  madvise(data, (bytes + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes, MADV_HUGEPAGE);
  return data;
}

}  // namespace weft
