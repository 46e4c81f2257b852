#include <sched.h>

#include <nlohmann/json.hpp>

#include "app/weft_command.h"
#include "kernels/bf16_backend.h"
#include "measure/memory_bandwidth.h"

namespace weft {
namespace {

using nlohmann::json;

class DoctorCommand : public WeftCommand {};

TEST_F(DoctorCommand, DescribesTheMachine) {
  const CommandResult result = weft({"doctor"});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_TRUE(mentions(
      result.out, {"CPU ", "vector units", "cores", "threads", "caches", "NUMA nodes", "memory",
                   "bandwidth", "peak fp32", "FLOP/s measured", "peak bf16", "GEMM", "OpenMP",
                   "MPI", "environment", "huge pages", "governor", "load"}));
}

TEST_F(DoctorCommand, PrintsJsonAndSaysWhatCostsSpeed) {
  const CommandResult result = weft({"doctor", "--json", "--threads", "300"});

  ASSERT_EQ(result.status, 0) << result.err;
  const json values = json::parse(result.out);
  EXPECT_EQ(values["threads"], 300);
  EXPECT_GE(values["cpus"], values["cores"]);
  EXPECT_GT(values["peak_fp32"], 1e8);
  if (cpu_has_bf16()) {
    EXPECT_GT(values["peak_bf16"], 1e8);
    EXPECT_EQ(values["peak_bf16_of"][bf16_description()], values["peak_bf16"]);
  } else {
    EXPECT_TRUE(values["peak_bf16"].is_null());
  }
  bool warned = false;
  for (const json& warning : values["warnings"]) {
    warned |= warning["what"].get<std::string>().starts_with("300 threads share");
  }
  EXPECT_TRUE(warned) << result.out;
}

TEST_F(DoctorCommand, SpeaksFromRankZeroAlone) {
  const auto rank = [](const char* number) {
    return run_command({"/usr/bin/env", std::string("OMPI_COMM_WORLD_RANK=") + number,
                        "OMPI_COMM_WORLD_SIZE=2", "OMPI_COMM_WORLD_LOCAL_SIZE=2", WEFT_BINARY,
                        "doctor"});
  };

  const CommandResult first = rank("0"), second = rank("1");

  EXPECT_TRUE(mentions(first.out, {"rank 0 of 2, 2 on this host"}));
  EXPECT_EQ(second.status, 0);
  EXPECT_EQ(second.out + second.err, "");
}

// Bound as Open MPI binds each of two ranks.
TEST_F(DoctorCommand, SeesThatARankIsBoundToOneCore) {
  if (available_cpus() < 2) GTEST_SKIP() << "there is one CPU";
  const int first_cpu = sched_getcpu();

  const CommandResult result =
      run_command({"/usr/bin/env", "OMPI_COMM_WORLD_RANK=0", "OMPI_COMM_WORLD_SIZE=2",
                   "OMPI_COMM_WORLD_LOCAL_SIZE=1", "taskset", "--cpu-list",
                   std::to_string(first_cpu), WEFT_BINARY, "doctor", "--json"});

  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(mentions(result.out, {"1 rank runs here", "bound to 1 of ", "--bind-to core"}));
}

// OpenMP binds the first thread to one place before main begins, and its mask is not the process's.
TEST_F(DoctorCommand, CountsTheCpusOfTheProcessWhenOpenmpBindsThreads) {
  const auto usable = [](const char* variable) {
    const CommandResult result =
        run_command({"/usr/bin/env", variable, WEFT_BINARY, "doctor", "--json"});
    return json::parse(result.out)["usable_cpus"].get<int>();
  };

  const int all = usable("OMP_PROC_BIND=false");

  EXPECT_EQ(usable("OMP_PROC_BIND=true"), all);
  EXPECT_EQ(usable("OMP_PLACES=cores"), all);
}

TEST(MeasureBandwidth, IsOfThePossibleOrder) {
  for (const Traffic traffic : {Traffic::kUpdate, Traffic::kRead}) {
    const double bytes_per_s =
        measure_bandwidth(*make_executor("fork-join", 2), traffic, size_t{1} << 26);

    EXPECT_GT(bytes_per_s, 1e7);
    EXPECT_LT(bytes_per_s, 1e14);
  }
}

}  // namespace
}  // namespace weft
