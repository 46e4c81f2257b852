#include "formats/hf_names.h"

#include <fmt/format.h>

#include <array>

namespace weft {
namespace {

struct HfName {
  const char* name;  // without prefix and layer
  bool transposed = false;
};

constexpr std::array<HfName, kTensors> kNames = {{
    {"wte.weight"},
    {"wpe.weight"},
    {"ln_1.weight"},
    {"ln_1.bias"},
    {"attn.c_attn.weight", true},
    {"attn.c_attn.bias"},
    {"attn.c_proj.weight", true},
    {"attn.c_proj.bias"},
    {"ln_2.weight"},
    {"ln_2.bias"},
    {"mlp.c_fc.weight", true},
    {"mlp.c_fc.bias"},
    {"mlp.c_proj.weight", true},
    {"mlp.c_proj.bias"},
    {"ln_f.weight"},
    {"ln_f.bias"},
}};

const HfName& entry(const Parameter& p) { return kNames[static_cast<size_t>(p.tensor)]; }

}  // namespace

std::string hf_name(const Parameter& p) {
  const char* name = entry(p).name;
  return is_per_layer(p.tensor) ? fmt::format("h.{}.{}", p.layer, name) : name;
}

std::vector<int64_t> hf_shape(const Parameter& p, const Config& config) {
  if (p.tensor == Tensor::wte) return {config.V, config.C};
  if (p.tensor == Tensor::wpe) return {config.T, config.C};
  if (is_transposed_in_hf(p)) return {p.cols, p.rows};
  return {p.cols};
}

bool is_transposed_in_hf(const Parameter& p) { return entry(p).transposed; }

bool is_hf_attention_mask(std::string_view name) {
  return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias");
}

}  // namespace weft
