#include "predict/measured_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/json.h"

namespace weft {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& what) {
  throw input_error("comm", what,
                    "weft bench comm --json, on two ranks or more, prints such a file");
}

double positive(const json& object, const char* name) {
  constexpr double kLargest = 1e15;
  if (object.is_object() && object.contains(name) && object[name].is_number()) {
    const auto x = object[name].get<double>();
    if (x > 0. && x <= kLargest) return x;
  }
  refuse(fmt::format("{} is no number above 0", name));
}

}  // namespace

void read_measured_network(const std::filesystem::path& path, Network& network) {
  const json file = read_json_object(path, "comm");
  network.latency_s = 1e-6 * positive(file, "latency_us");
  network.bytes_per_s = positive(file, "link_bytes_per_s");
  if (!file.contains("transfers") || !file["transfers"].is_array()) refuse("transfers is no list");
  std::map<std::string, std::pair<double, double>> largest;  // bytes and share, by name
  for (const json& transfer : file["transfers"]) {
    const std::pair<double, double> measured = {positive(transfer, "bytes"),
                                                positive(transfer, "share")};
    if (!transfer.contains("transfer") || !transfer["transfer"].is_string()) {
      refuse("transfer is no name");
    }
    std::pair<double, double>& known = largest[transfer["transfer"].get<std::string>()];
    known = std::max(known, measured);
  }
  for (const Collective collective :
       {Collective::kReduce, Collective::kBroadcast, Collective::kAllReduce, Collective::kAllGather,
        Collective::kExchange}) {
    const auto found = largest.find(collective_name(collective));
    if (found != largest.end()) network.shares[collective] = found->second.second;
  }
}

}  // namespace weft
