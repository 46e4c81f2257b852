// Where Hugging Face's files keep each parameter: names and shapes by the model's architecture.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/parameters.h"

namespace weft {

// GPT2LMHeadModel puts this before every name but that of the head.
inline constexpr std::string_view kHfPrefix = "transformer.";
inline constexpr const char* kHfHead = "lm_head.weight";

// Without prefix: "h.3.mlp.c_fc.weight".
std::string hf_name(const Parameter& p);
std::vector<int64_t> hf_shape(const Parameter& p);

// True of Conv1D weights, (IC, OC).
bool is_transposed_in_hf(const Parameter& p);

// Buffers that older versions saved with the weights: they hold no weights.
bool is_hf_attention_mask(std::string_view name);

}  // namespace weft
