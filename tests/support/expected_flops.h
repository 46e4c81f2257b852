// The FLOPs of a training step, worked out from the shapes of its layers alone.
#pragma once

#include <map>
#include <string>

#include "model/config.h"

namespace weft {

// By kind of op, for B sequences of T tokens: 2 FLOPs for each multiply-add of a matrix product;
// attention counts the unmasked half of the T x T scores. `recomputed`: blocks whose forward pass
// backward repeats, as kinds of their own.
inline std::map<std::string, double> expected_flops(const Config& config, int64_t B, int64_t T,
                                                    int64_t recomputed = 0) {
  const double n = double(B * T), C = double(config.C), L = double(config.L);
  std::map<std::string, double> flops;
  const auto linear = [&](const std::string& layer, const char* forward, double outputs,
                          double inputs, double count) {
    for (const char* product : {forward, "dX", "dW"}) {
      flops[layer + "/" + product] = count * 2. * n * outputs * inputs;
    }
  };
  linear("qkv", "forward", 3 * C, C, L);
  linear("attproj", "forward", C, C, L);
  linear("fc", "forward", 4 * C, C, L);
  linear("fcproj", "forward", C, 4 * C, L);
  linear("classifier", "logits", double(config.Vp()), C, 1);
  // Products of a query with keys and of scores with values; backward has five instead of two.
  const double pairs = double(T) * double(T + 1) / 2.;
  const double product = 2. * L * double(B * config.NH) * pairs * double(config.HS());
  flops["attention/forward"] = 2. * product;
  flops["attention/backward"] = 5. * product;
  if (recomputed == 0) return flops;
  for (const char* kind : {"qkv/forward", "attproj/forward", "fc/forward", "attention/forward"}) {
    flops[std::string("again/") + kind] = flops.at(kind) * double(recomputed) / L;
  }
  return flops;
}

}  // namespace weft
