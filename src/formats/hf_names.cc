#include "formats/hf_names.h"

#include <fmt/format.h>

namespace weft {

std::string hf_name(const Parameter& p) {
  const char* name = info(p.tensor).hf_name;
  return is_per_layer(p.tensor) ? fmt::format("h.{}.{}", p.layer, name) : name;
}

std::vector<int64_t> hf_shape(const Parameter& p) {
  if (info(p.tensor).rows == Dim::one) return {p.cols};
  if (is_transposed_in_hf(p)) return {p.cols, p.rows};
  return {p.unpadded_rows, p.cols};
}

bool is_transposed_in_hf(const Parameter& p) { return info(p.tensor).hf_transposed; }

bool is_hf_attention_mask(std::string_view name) {
  return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias");
}

}  // namespace weft
