#include "kernels/gemm.h"

#include <cblas.h>
#include <fmt/format.h>
#include <immintrin.h>
#include <libxsmm.h>

#include <limits>
#include <mutex>
#include <string_view>

#include "base/error.h"

namespace weft {
namespace {

constexpr int64_t kMaxInt = std::numeric_limits<int>::max();
constexpr int64_t kFloatBytes = sizeof(float);

// libxsmm inspects the CPU once; the result is kept, so that asking again is a load.
bool libxsmm_serves_this_cpu() {
  static const int arch = (libxsmm_init(), libxsmm_get_target_archid());
  return arch >= LIBXSMM_X86_AVX2;
}

std::string describe(const GemmShape& s) {
  return fmt::format(
      "M {} N {} K {}, lda {} ldb {} ldc {}, stride_a {} stride_b {}, transposed_a {}", s.M, s.N,
      s.K, s.lda, s.ldb, s.ldc, s.stride_a, s.stride_b, s.transposed_a);
}

void check(const GemmShape& s) {
  const bool positive = s.M > 0 && s.N > 0 && s.K > 0 && s.stride_a >= 0 && s.stride_b >= 0;
  const bool rows_fit = s.lda >= (s.transposed_a ? s.M : s.K) && s.ldb >= s.N && s.ldc >= s.N;
  // Both libraries count in int. A leading dimension bounds the columns, so M is all that is left,
  // or K where A is transposed.
  const bool ints =
      s.M <= kMaxInt && s.K <= kMaxInt && s.lda <= kMaxInt && s.ldb <= kMaxInt && s.ldc <= kMaxInt;
  if (positive && rows_fit && ints) return;
  throw failure("gemm", "invalid shape: " + describe(s), "this is a bug in weft");
}

// The generated code reaches every element by a 32-bit byte displacement from a row or an operand.
bool within_displacements(const GemmShape& s) {
  const auto spans = [](int64_t rows, int64_t ld) { return rows * ld <= kMaxInt / kFloatBytes; };
  const auto steps = [](int64_t stride) { return stride <= kMaxInt / kFloatBytes; };
  return spans(s.transposed_a ? s.K : s.M, s.lda) && spans(s.K, s.ldb) && spans(s.M, s.ldc) &&
         steps(s.stride_a) && steps(s.stride_b);
}

// libxsmm is column-major, and a row-major matrix read as column-major is its transpose. So
// C = A B is C^T = B^T A^T: B goes first with m = N, A second with n = M. Null when libxsmm cannot
// make the kernel, for example where the system forbids executable memory.
libxsmm_smmfunction_reducebatch_strd make_kernel(const GemmShape& s) {
  const auto lda = static_cast<int>(s.lda);
  const auto ldb = static_cast<int>(s.ldb);
  const auto ldc = static_cast<int>(s.ldc);
  const float alpha = 1.f;
  const float beta = s.accumulate ? 1.f : 0.f;
  const int flags = s.transposed_a ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
  // Not null: that would mean libxsmm's default, whose kernels may expect prefetch arguments.
  const int prefetch = LIBXSMM_GEMM_PREFETCH_NONE;
  return libxsmm_smmdispatch_reducebatch_strd(
      static_cast<int>(s.N), static_cast<int>(s.M), static_cast<int>(s.K),
      static_cast<int>(s.stride_b * kFloatBytes), static_cast<int>(s.stride_a * kFloatBytes), &ldb,
      &lda, &ldc, &alpha, &beta, &flags, &prefetch);
}

// libxsmm's code leaves the upper halves of the vector registers dirty, and on Intel CPUs every SSE
// instruction then waits for them: 64 calls of logf took 10 us instead of 0.2 us. So clean up.
[[gnu::target("avx")]] void multiply_by_libxsmm(libxsmm_smmfunction_reducebatch_strd kernel,
                                                const float* A, const float* B, float* C,
                                                unsigned long long count) {
  kernel(B, A, C, &count);
  _mm256_zeroupper();
}

// Debian's serial OpenBLAS (0.3.21) hands out its packing buffers without a lock, so products of
// several threads at once overwrite each other's operands: 8 threads with 3,000 products each got
// about 60 wrong results. Its only state is process-wide, and so is the lock.
// docs/decisions/matrix_products.md
std::mutex& openblas_mutex() {
  static std::mutex mutex;
  return mutex;
}

void multiply_by_cblas(const GemmShape& s, const float* A, const float* B, float* C,
                       int64_t count) {
  const std::lock_guard lock(openblas_mutex());
  for (int64_t i = 0; i < count; ++i) {
    const float beta = s.accumulate || i > 0 ? 1.f : 0.f;
    cblas_sgemm(CblasRowMajor, s.transposed_a ? CblasTrans : CblasNoTrans, CblasNoTrans,
                static_cast<int>(s.M), static_cast<int>(s.N), static_cast<int>(s.K), 1.f,
                A + i * s.stride_a, static_cast<int>(s.lda), B + i * s.stride_b,
                static_cast<int>(s.ldb), beta, C, static_cast<int>(s.ldc));
  }
}

// openblas_get_config() begins with the name and the version: the first two words.
std::string openblas_version() {
  const std::string_view config = openblas_get_config();
  return std::string(config.substr(0, config.find(' ', config.find(' ') + 1)));
}

}  // namespace

// A shape that libxsmm does not take falls back to CBLAS. That is safe: the choice is made here,
// once, so every call of this object runs the same code and gives the same bits, and the two differ
// by no more than the rounding of another summation order.
Gemm::Gemm(const GemmShape& shape, GemmBackend backend) : shape_(shape), kernel_(nullptr) {
  check(shape);
  if (resolve(backend) == GemmBackend::kCblas) return;
  if (!libxsmm_serves_this_cpu()) {
    throw failure("gemm", "libxsmm needs a CPU with AVX2", "use the backend auto or cblas");
  }
  if (within_displacements(shape)) kernel_ = reinterpret_cast<Kernel>(make_kernel(shape));
}

void Gemm::operator()(const float* A, const float* B, float* C, int64_t count) const noexcept {
  if (kernel_ == nullptr) return multiply_by_cblas(shape_, A, B, C, count);
  multiply_by_libxsmm(reinterpret_cast<libxsmm_smmfunction_reducebatch_strd>(kernel_), A, B, C,
                      static_cast<unsigned long long>(count));
}

GemmBackend resolve(GemmBackend backend) {
  if (backend != GemmBackend::kAuto) return backend;
  return libxsmm_serves_this_cpu() ? GemmBackend::kLibxsmm : GemmBackend::kCblas;
}

std::string gemm_description(GemmBackend backend) {
  if (resolve(backend) == GemmBackend::kCblas) {
    return fmt::format("{} ({})", openblas_version(), openblas_get_corename());
  }
  return fmt::format("libxsmm {} ({})", LIBXSMM_CONFIG_VERSION, libxsmm_get_target_arch());
}

}  // namespace weft
