#include "kernels/bf16_backend.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"

namespace weft {
namespace {

constexpr const char* kNoBf16 = "the CPU has neither AMX-BF16 nor AVX512-BF16";
constexpr const char* kTilesDenied = "the CPU has AMX-BF16, but the system keeps its tiles back";

// CPUID leaf 7: EDX bit 22 is AMX-BF16, bit 24 AMX-TILE.
bool cpu_has_tiles() {
  constexpr unsigned kNeeded = 1u << 22 | 1u << 24;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx & kNeeded) == kNeeded;
}

// Linux gives a process the 8 KiB of tile registers only if it asks. Every later thread has them.
bool request_tiles() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

bool may_use_tiles() {
  static const bool allowed = cpu_has_tiles() && request_tiles();
  return allowed;
}

bool has_vectors() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bf16") != 0;
}

const char* reason() { return cpu_has_tiles() && !may_use_tiles() ? kTilesDenied : kNoBf16; }

}  // namespace

bool cpu_has(Bf16Backend backend) noexcept {
  switch (backend) {
    case Bf16Backend::kAmx:
      return may_use_tiles();
    case Bf16Backend::kAvx512Bf16:
      return has_vectors();
    case Bf16Backend::kAuto:
      break;
  }
  return may_use_tiles() || has_vectors();
}

Bf16Backend resolve(Bf16Backend backend) {
  if (!cpu_has(backend)) {
    throw failure("gemm_bf16", reason(),
                  "use fp32, a CPU with these instructions, or for AMX Linux 5.16 or newer");
  }
  if (backend != Bf16Backend::kAuto) return backend;
  return may_use_tiles() ? Bf16Backend::kAmx : Bf16Backend::kAvx512Bf16;
}

std::string bf16_description(Bf16Backend backend) {
  if (!cpu_has(backend)) return reason();
  return resolve(backend) == Bf16Backend::kAmx ? "AMX tiles" : "AVX512-BF16";
}

}  // namespace weft
