#include "app/cli/precision_flag.h"

#include "base/error.h"
#include "kernels/bf16_backend.h"

namespace weft {

void add_precision_flag(Options& flags, std::string& value) {
  flags.choice("--precision", value,
               {precision_name(Precision::kFp32), precision_name(Precision::kBf16)},
               "Of matrix products and of what they read; weights, moments, sums and the loss "
               "stay fp32. bf16 needs AMX or AVX512-BF16");
}

Precision parse_precision(const char* command, const std::string& value) {
  if (value == precision_name(Precision::kFp32)) return Precision::kFp32;
  if (!cpu_has_bf16()) {
    throw input_error(command, "--precision bf16: " + bf16_description(),
                      "use --precision fp32; weft doctor shows what this machine can do");
  }
  return Precision::kBf16;
}

}  // namespace weft
