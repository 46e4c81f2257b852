// RunState: how far a run has come, and the settings that a run must share with the one it
// continues. A checkpoint keeps it as state.json.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace weft {

struct RunState {
  int64_t step = 0;       // optimizer steps done
  int64_t tokens = 0;     // trained on
  double elapsed_s = 0.;  // trained for

  // The order of the data: with another value, the model would see other sequences.
  uint64_t seed = 0;
  bool shuffle = true;
  int64_t T = 0;
  int64_t sequences_per_step = 0;
  uint64_t data_fingerprint = 0;

  // The course of the run: with another value it continues, but not as the first run would have.
  std::string schedule;   // kind, rate, warmup, final fraction, steps
  std::string optimizer;  // betas, eps, decay, clipping
  std::string batching;   // B and micro-steps: the order of sums
  std::string precision = "fp32";

  bool operator==(const RunState&) const = default;
};

// Without state_version and checksums, which are the checkpoint's.
nlohmann::ordered_json to_json(const RunState& state);

// Throws an exception of the JSON library, or std::exception, where a value is missing or of
// another type.
RunState run_state_from_json(const nlohmann::json& json);

}  // namespace weft
