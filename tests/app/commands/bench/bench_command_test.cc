#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "app/weft_command.h"
#include "exec/executor.h"
#include "measure/kernel_cases.h"

namespace weft {
namespace {

using nlohmann::json;

class BenchCommand : public WeftCommand {
 protected:
  static json run_json(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "bench");
    arguments.insert(arguments.end(), {"--model", "L=2,NH=2,C=32,T=16,V=300", "--json"});
    const CommandResult result = weft(arguments);
    EXPECT_EQ(result.status, 0) << result.err;
    return json::parse(result.out);
  }
};

// Far above 1 where a sanitizer slows the loops that measure the limits, and not the products that
// are compiled at run time. What the bound is to catch, a wrong unit, is off by more.
bool is_share(const json& value) {
  return value.is_number() && value.get<double>() > 0. && value.get<double>() <= 100.;
}

TEST_F(BenchCommand, TimesEveryKernelAgainstItsLimit) {
  const json result =
      run_json({"kernels", "--min-time", "0.002", "--repetitions", "2", "--filter", "/hot$"});

  std::set<std::string> expected, names;
  for (const KernelCase& c : kernel_cases({2, 2, 32, 16, 300}, 4, 16)) {
    if (c.cache == CacheState::kHot) expected.insert(c.name);
  }
  for (const json& kernel : result["kernels"]) {
    EXPECT_TRUE(names.insert(kernel["name"]).second) << "twice: " << kernel["name"];
    EXPECT_TRUE(is_share(kernel["share"])) << kernel;
    EXPECT_LE(kernel["min_us"], kernel["median_us"]) << kernel;
    EXPECT_LE(kernel["median_us"], kernel["max_us"]) << kernel;
    EXPECT_GT(kernel["bytes"], 0.) << kernel;
  }
  EXPECT_EQ(names, expected);
  EXPECT_GT(result["peak_fp32"], 1e8);
}

TEST_F(BenchCommand, StreamsColdOperandsFromMoreMemoryThanHotOnes) {
  const json kernels =
      run_json({"kernels", "--min-time", "0.002", "--repetitions", "2", "--filter", "^add/"})
          .at("kernels");

  ASSERT_EQ(kernels.size(), 2u);
  EXPECT_EQ(kernels[0]["name"], "add/hot");
  EXPECT_EQ(kernels[1]["name"], "add/cold");
  EXPECT_EQ(kernels[0]["bytes"], kernels[1]["bytes"]);
  EXPECT_LT(kernels[0]["operand_bytes"], 1 << 20);
  EXPECT_GT(kernels[1]["operand_bytes"], 1 << 20);
}

TEST_F(BenchCommand, SaysWhereTheTimeOfAStepGoes) {
  const json result = run_json({"step", "--steps", "3", "--threads", "2"});

  EXPECT_EQ(result["threads"], 2);
  EXPECT_LE(result["step_ms"]["min"], result["step_ms"]["median"]);
  EXPECT_LE(result["step_ms"]["median"], result["step_ms"]["max"]);
  EXPECT_TRUE(is_share(result["mfu"])) << result["mfu"];
  double busy = 0.;
  std::set<std::string> kinds;
  for (const json& op : result["ops"]) {
    EXPECT_TRUE(kinds.insert(op["kind"]).second) << "twice: " << op["kind"];
    EXPECT_GT(op["share"], 0.) << op;
    EXPECT_LE(op["share"], 1.) << op;
    if (!op["gflops"].is_null()) {
      EXPECT_TRUE(is_share(op["peak_share"])) << op;
    }
    busy += op["share"].get<double>();
  }
  EXPECT_TRUE(kinds.contains("attention/backward"));
  // Busy and idle are all of the threads' time, by their definition, up to rounding.
  EXPECT_NEAR(busy + result["idle_share"].get<double>(), 1., 1e-9);
  EXPECT_EQ(result["phases"].size(), 3u);  // forward, backward, update
}

TEST_F(BenchCommand, SaysHowMuchOfTheThreadsTimeIsUsefulAndWhyNotAll) {
  const json result = run_json({"step", "--steps", "3", "--threads", "2"});
  const json& e = result["efficiency"];
  const auto share = [&](const char* name) { return e[name].get<double>(); };

  EXPECT_EQ(e["steps"], 3);
  EXPECT_GT(share("parallel"), 0.);
  EXPECT_LE(share("load_balance"), 1. + 1e-9);
  EXPECT_LE(share("communication"), 1. + 1e-9);
  EXPECT_NEAR(share("load_balance") * share("communication"), share("parallel"), 1e-9);
  EXPECT_NEAR(share("transfer"), 1., 1e-9);  // there is one rank
  EXPECT_NEAR(share("useful_ms"), 2. * share("run_ms") * share("parallel"), 1e-9);
  EXPECT_LE(share("run_ms"), result["step_ms"]["max"]);  // programs alone
  double thread_ms = 0.;
  for (const json& phase : result["phases"]) {
    thread_ms += phase["thread_ms"].get<double>() + phase["idle_ms"].get<double>();
  }
  EXPECT_NEAR(thread_ms, 2. * share("run_ms"), 1e-6);
  EXPECT_TRUE(result["counters"].contains("cycles") !=
              result["counters"].contains("not_available"));
}

TEST_F(BenchCommand, ShowsWhatRecomputingBlocksCostsAndSaves) {
  std::map<std::string, json> results;
  for (const char* recompute : {"none", "block"}) {
    const CommandResult result = weft({"bench", "step", "--model", "L=5,NH=2,C=32,T=16,V=300",
                                       "--steps", "1", "--recompute", recompute, "--json"});
    ASSERT_EQ(result.status, 0) << result.err;
    results[recompute] = json::parse(result.out);
  }
  const json &plain = results["none"], &block = results["block"];
  std::set<std::string> kinds, kinds_with_flops;
  for (const json& op : block["ops"]) {
    kinds.insert(op["kind"]);
    if (!op["gflops"].is_null()) kinds_with_flops.insert(op["kind"]);
  }

  EXPECT_EQ(plain["recomputed_blocks"], 0);
  EXPECT_EQ(block["recomputed_blocks"], 3);
  EXPECT_LT(block["memory_bytes"], plain["memory_bytes"]);
  EXPECT_EQ(block["loss"], plain["loss"]);
  EXPECT_TRUE(kinds.contains("again/ln1/forward"));
  EXPECT_TRUE(kinds_with_flops.contains("again/qkv/forward"));
  EXPECT_FALSE(kinds.contains("again/fcproj/forward"));
}

TEST_F(BenchCommand, SaysThatASingleRankSendsNothing) {
  const CommandResult text = weft({"bench", "comm"}), json_text = weft({"bench", "comm", "--json"});

  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_TRUE(mentions(text.out, {"1 rank: nothing is sent", "mpirun -np 2"}));
  const json result = json::parse(json_text.out);
  EXPECT_EQ(result["ranks"], 1);
  EXPECT_TRUE(result["latency_us"].is_null());
  EXPECT_TRUE(result["transfers"].empty());
}

TEST_F(BenchCommand, RefusesALinkWithoutBandwidth) {
  EXPECT_TRUE(is_input_error(weft({"bench", "comm", "--link-gbps", "-1"}), {"--link-gbps"}));
}

TEST_F(BenchCommand, MeasuresWhatEachExecutorAddsToAnOp) {
  const json result = run_json({"tasks", "--threads", "2", "--steps", "1"});

  ASSERT_EQ(result["executors"].size(), 4u);
  EXPECT_GT(result["ops"], 50);
  for (const json& e : result["executors"]) {
    EXPECT_GT(e["ns_per_op"], 0.) << e;
    EXPECT_GT(e["ns_per_chained_op"], 0.) << e;
    EXPECT_GT(e["share"], 0.) << e;
  }
}

TEST_F(BenchCommand, PrintsTablesForPeople) {
  const CommandResult step = weft({"bench", "step", "--model", kTinyModel, "--steps", "1"});
  const CommandResult tasks = weft({"bench", "tasks", "--model", kTinyModel, "--steps", "1"});
  const CommandResult kernels = weft({"bench", "kernels", "--model", kTinyModel, "--filter",
                                      "attention/.*/hot", "--min-time", "0.002"});

  EXPECT_TRUE(mentions(step.out, {"median of 1", "tokens/s", "MFU", "idle", "of peak", "update",
                                  "load balance", "serialization"}));
  EXPECT_TRUE(mentions(tasks.out, {"ops on", "sequential", "fork-join", "tasks", "share"}));
  EXPECT_TRUE(
      mentions(kernels.out, {"attention/forward/hot", "attention/backward/hot", "GFLOP/s"}));
}

TEST_F(BenchCommand, NamesTheNearestCommand) {
  EXPECT_TRUE(is_input_error(weft({"bench"}), {"[bench] a command is missing", "--help"}));
  EXPECT_TRUE(is_input_error(weft({"bench", "kernel"}),
                             {"[bench] unknown command kernel", "did you mean kernels?"}));
  EXPECT_TRUE(is_input_error(weft({"bench", "--json"}), {"[bench] unknown flag --json"}));
}

TEST_F(BenchCommand, ExplainsFlagsThatFitNothing) {
  EXPECT_TRUE(is_input_error(weft({"bench", "kernels", "--filter", "("}),
                             {"[bench kernels] --filter: cannot read '('", "regular expression"}));
  EXPECT_TRUE(is_input_error(weft({"bench", "kernels", "--filter", "conv"}),
                             {"[bench kernels] --filter: no kernel matches 'conv'"}));
  EXPECT_TRUE(
      is_input_error(weft({"bench", "step", "--model", kTinyModel, "--seq-len", "9"}),
                     {"[bench step] --seq-len: 9 is longer than the model's T", "at most 8"}));
}

TEST(KernelCases, HaveNamesOfTheirOwnAndWork) {
  std::set<std::string> names;
  for (const KernelCase& c : kernel_cases({1, 3, 15, 7, 31}, 3, 7)) {
    EXPECT_TRUE(names.insert(c.name).second) << c.name;
    EXPECT_GT(c.cost.bytes, 0.) << c.name;

    Operands operands;
    const KernelCall call = c.make_call(operands);
    call.run();
    if (call.restore) call.restore();
    EXPECT_GT(operands.bytes(), 0u) << c.name;
  }
}

}  // namespace
}  // namespace weft
