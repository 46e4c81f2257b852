#include "app/cli/precision_flag.h"

#include "base/error.h"
#include "kernels/bf16_backend.h"

namespace weft {

void add_precision_flag(Options& flags, Precision& precision) {
  flags.choice<Precision>(
      "--precision", precision,
      {{precision_name(Precision::kFp32), Precision::kFp32},
       {precision_name(Precision::kBf16), Precision::kBf16}},
      "Of matrix products and of what they read; weights, moments, sums and the loss "
      "stay fp32. bf16 needs AMX or AVX512-BF16");
}

void require_precision(const char* command, Precision precision) {
  if (precision == Precision::kFp32 || cpu_has_bf16()) return;
  throw input_error(command, "--precision bf16: " + bf16_description(),
                    "use --precision fp32; weft doctor shows what this machine can do");
}

}  // namespace weft
