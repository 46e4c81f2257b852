#include "run/run_state.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace weft {

nlohmann::ordered_json to_json(const RunState& s) {
  return {{"step", s.step},
          {"tokens", s.tokens},
          {"elapsed_s", s.elapsed_s},
          {"rng", {{"generator", "philox4x32-10"}, {"seed", s.seed}}},
          {"data",
           {{"shuffle", s.shuffle},
            {"seq_len", s.T},
            {"sequences_per_step", s.sequences_per_step},
            {"position", s.step * s.sequences_per_step},
            {"fingerprint", fmt::format("{:016x}", s.data_fingerprint)}}},
          {"schedule", s.schedule},
          {"optimizer", s.optimizer},
          {"batching", s.batching},
          {"precision", s.precision}};
}

RunState run_state_from_json(const nlohmann::json& j) {
  RunState s;
  s.step = j.at("step").get<int64_t>();
  s.tokens = j.at("tokens").get<int64_t>();
  s.elapsed_s = j.at("elapsed_s").get<double>();
  s.seed = j.at("rng").at("seed").get<uint64_t>();
  const nlohmann::json& data = j.at("data");
  s.shuffle = data.at("shuffle").get<bool>();
  s.T = data.at("seq_len").get<int64_t>();
  s.sequences_per_step = data.at("sequences_per_step").get<int64_t>();
  s.data_fingerprint = std::stoull(data.at("fingerprint").get<std::string>(), nullptr, 16);
  s.schedule = j.at("schedule").get<std::string>();
  s.optimizer = j.at("optimizer").get<std::string>();
  s.batching = j.at("batching").get<std::string>();
  s.precision = j.value("precision", s.precision);
  return s;
}

}  // namespace weft
