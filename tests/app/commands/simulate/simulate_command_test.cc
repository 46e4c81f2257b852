#include <fstream>
#include <nlohmann/json.hpp>

#include "app/weft_command.h"
#include "exec/executor.h"
#include "predict/op_costs.h"

namespace weft {
namespace {

using nlohmann::json;

class SimulateCommand : public WeftCommand {
 protected:
  static constexpr const char* kModel = "L=2,NH=2,C=32,T=16,V=300";

  // Of ops that all cost what their bytes do.
  std::string costs() const {
    OpCosts costs{"1", "c", "a CPU", kModel, "fp32", 4, 16, {}};
    for (const int threads : {1, 2}) {
      ThreadCosts run;
      run.threads = threads;
      run.memory_bytes_per_s = 1e9 * threads;
      for (const std::string& name : simulated_executor_names())
        run.executors[name] = {.op_s = 1e-6};
      run.kinds = {{{"norm", 0., 100.}, 1, 1e-6}};
      costs.runs.push_back(run);
    }
    return directory_.write("costs.json", to_json(costs).dump()).string();
  }

  CommandResult simulate(std::vector<std::string> more) const {
    more.insert(more.begin(), {"simulate", "--model", kModel});
    return weft(more);
  }
  json predictions(std::vector<std::string> more) const {
    more.insert(more.end(), {"--costs", costs(), "--json"});
    const CommandResult result = simulate(more);
    EXPECT_EQ(result.status, 0) << result.err;
    return json::parse(result.out).at("predictions");
  }
};

TEST_F(SimulateCommand, PredictsEveryCombination) {
  const json all = predictions({"--nodes", "1,2,8", "--cores", "1,4", "--dist", "all", "--exec",
                                "all", "--bandwidth-gbps", "1", "--latency-us", "5"});

  ASSERT_EQ(all.size(), 3u * 2 * 3 * 3);
  for (const json& p : all) {
    EXPECT_GT(p["step_ms"], 0.) << p;
    EXPECT_GT(p["efficiency"], 0.) << p;
    EXPECT_LE(p["efficiency"], 1. + 1e-9) << p;
    EXPECT_GE(p["step_ms"].get<double>() * (1 + 1e-9), p["critical_path_ms"].get<double>()) << p;
    EXPECT_EQ(p["dist"].is_null(), p["ranks"] == 1) << p;
    EXPECT_EQ(p["comm_ms"] > 0., p["ranks"] > 1) << p;
  }
  EXPECT_EQ(predictions({"--cores", "4"}), predictions({"--cores", "4"}));
}

TEST_F(SimulateCommand, ReadsWhatBenchTasksMeasures) {
  const CommandResult bench = weft({"bench", "tasks", "--model", kModel, "--threads", "1",
                                    "--steps", "2", "--costs", path("measured.json")});
  const CommandResult result =
      simulate({"--cores", "1", "--exec", "sequential", "--costs", path("measured.json")});

  EXPECT_EQ(bench.status, 0) << bench.err;
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(mentions(result.out, {"sequential", "100.0 %"}));
  EXPECT_EQ(result.err, "");  // every kind was measured
}

TEST_F(SimulateCommand, MeasuresWhatItNeedsAndPrintsATable) {
  const CommandResult result = simulate({"--cores", "1", "--steps", "1", "--exec", "all"});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(mentions(result.out, {"costs measured on", "step ms", "sequential", "fork-join",
                                    "tasks", "docs/simulation.md"}));
}

TEST_F(SimulateCommand, SaysWhatItTakesForGranted) {
  const CommandResult result = simulate({"--cores", "112", "--costs", costs()});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(mentions(result.err, {"ops on 112 cores cost what they cost on 2 threads"}));
}

TEST_F(SimulateCommand, WritesATimeline) {
  const CommandResult result = simulate({"--cores", "2", "--nodes", "2", "--bandwidth-gbps", "10",
                                         "--costs", costs(), "--trace", path("step.json")});

  EXPECT_EQ(result.status, 0) << result.err;
  std::ifstream file(path("step.json"));
  EXPECT_FALSE(json::parse(file).at("traceEvents").empty());
}

TEST_F(SimulateCommand, ReadsWhatBenchCommPrints) {
  directory_.write("comm.json", R"({"latency_us": 3, "link_bytes_per_s": 1e8, "transfers": [
      {"transfer": "all-reduce", "bytes": 4, "share": 0.01},
      {"transfer": "all-reduce", "bytes": 4096, "share": 0.5},
      {"transfer": "all-gather", "bytes": 4096, "share": 0.5}]})");
  const std::vector<std::string> nodes = {"--nodes", "2", "--cores", "1"};
  std::vector<std::string> measured = nodes, given = nodes;
  measured.insert(measured.end(), {"--comm", path("comm.json")});
  given.insert(given.end(), {"--bandwidth-gbps", "0.4", "--latency-us", "3"});

  const double by_file = predictions(measured)[0]["comm_ms"];
  EXPECT_NEAR(by_file, predictions(given)[0]["comm_ms"], 1e-6 * by_file);
}

TEST_F(SimulateCommand, ExplainsWhatItCannotPlay) {
  EXPECT_TRUE(is_input_error(simulate({"--nodes", "2"}), {"--bandwidth-gbps", "required"}));
  EXPECT_TRUE(is_input_error(simulate({"--nodes", "1,x"}), {"--nodes", "1,x", "list"}));
  EXPECT_TRUE(is_input_error(simulate({"--cores", "2,"}), {"--cores"}));
  EXPECT_TRUE(is_input_error(simulate({"--cores", "1", "--ranks-per-node", "2"}),
                             {"--ranks-per-node", "core"}));
  EXPECT_TRUE(
      is_input_error(simulate({"--trace", "x.json", "--exec", "all"}), {"--trace", "several"}));
  EXPECT_TRUE(is_input_error(simulate({"--trace", "x.txt"}), {"--trace", ".prv"}));
  directory_.write("no.json", "{}");
  EXPECT_TRUE(is_input_error(simulate({"--costs", path("no.json")}),
                             {"[costs]", "format is missing", "bench tasks --costs"}));
  EXPECT_TRUE(
      is_input_error(simulate({"--nodes", "2", "--costs", costs(), "--comm", path("no.json")}),
                     {"[comm]", "latency_us", "weft bench comm --json"}));
}

}  // namespace
}  // namespace weft
