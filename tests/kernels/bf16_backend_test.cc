#include "kernels/bf16_backend.h"

#include <gtest/gtest.h>

#include "support/error_of.h"

namespace weft {
namespace {

TEST(Bf16BackendTest, AutoIsTheFirstThatTheMachineHas) {
  if (!cpu_has_bf16()) GTEST_SKIP() << "no bf16 arithmetic here";

  const Bf16Backend best = resolve(Bf16Backend::kAuto);

  EXPECT_EQ(best, cpu_has(Bf16Backend::kAmx) ? Bf16Backend::kAmx : Bf16Backend::kAvx512Bf16);
  EXPECT_EQ(resolve(best), best);
}

TEST(Bf16BackendTest, RefusesWhatTheMachineLacksAndSaysWhatToDo) {
  for (const Bf16Backend backend : {Bf16Backend::kAmx, Bf16Backend::kAvx512Bf16}) {
    const std::string error = error_of([&] { resolve(backend); });

    if (cpu_has(backend)) {
      EXPECT_EQ(error, "");
    } else {
      EXPECT_TRUE(mentions(error, {"[gemm_bf16]", "AMX", "use fp32"}));
    }
  }
}

TEST(Bf16BackendTest, DescriptionNamesTheInstructions) {
  EXPECT_TRUE(mentions(bf16_description(), {cpu_has(Bf16Backend::kAmx) ? "AMX" : "AVX512-BF16"}));
}

}  // namespace
}  // namespace weft
