// The two forms of a Hugging Face model: a .safetensors file with config.json beside it, and a
// directory with model.safetensors (or shards and their index), config.json, generation_config.json
// and the tokenizer's files.
#pragma once

#include "formats/model_format.h"

namespace weft {

const ModelFormat& safetensors_format();
const ModelFormat& hf_directory_format();

}  // namespace weft
