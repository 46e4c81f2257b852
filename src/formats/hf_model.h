// GPT-2's weights as Hugging Face stores them, in safetensors files.
//
// Layer i is `h.<i>.`, and a file of GPT2LMHeadModel puts `transformer.` before every name; both
// forms are read, the long one is written. weft's name, and the stored name with its shape:
//
//   wte       wte.weight (V, C)                     fcw      h.<i>.mlp.c_fc.weight (C, 4C)   ^T
//   wpe       wpe.weight (T, C)                     fcb      h.<i>.mlp.c_fc.bias (4C)
//   ln1w      h.<i>.ln_1.weight (C)                 fcprojw  h.<i>.mlp.c_proj.weight (4C, C) ^T
//   ln1b      h.<i>.ln_1.bias (C)                   fcprojb  h.<i>.mlp.c_proj.bias (C)
//   qkvw      h.<i>.attn.c_attn.weight (C, 3C) ^T   ln2w     h.<i>.ln_2.weight (C)
//   qkvb      h.<i>.attn.c_attn.bias (3C)           ln2b     h.<i>.ln_2.bias (C)
//   attprojw  h.<i>.attn.c_proj.weight (C, C)  ^T   lnfw     ln_f.weight (C)
//   attprojb  h.<i>.attn.c_proj.bias (C)            lnfb     ln_f.bias (C)
//
// ^T marks Conv1D weights, (IC, OC): the transpose of weft's. wte has no padded rows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/file_system.h"
#include "formats/dtype.h"
#include "formats/hf_config.h"
#include "formats/model_reader.h"
#include "model/parameters.h"

namespace weft {

// Opens a safetensors file, or a directory's model.safetensors, or else the shards that the
// directory's model.safetensors.index.json lists. F32, F16 and BF16 are read; attention masks
// (`attn.bias`, `attn.masked_bias`) are skipped. Throws Error (kInput) that names the tensor which
// is missing, unknown or of another shape, and where lm_head.weight is not wte.weight, because weft
// shares them.
//   ties_embeddings: what config.json says; where it is false, lm_head.weight may not be missing.
std::unique_ptr<ModelReader> open_hf_model(const std::filesystem::path& file_or_directory,
                                           const Config& config, bool ties_embeddings = true);

// read_all of open_hf_model.
NonFiniteWeights read_hf_weights(const std::filesystem::path& file_or_directory,
                                 const ParameterView& weights);

// The tensors alone, as one file. dtype: F32, or BF16 rounded to nearest even. Asks for each
// parameter once. Throws Error (kFailure).
void write_hf_weights(const std::filesystem::path& file, const ParameterTable& table,
                      const ParameterValues& values_of, DType dtype = DType::F32,
                      FileSystem& files = disk());
void write_hf_weights(const std::filesystem::path& file, const ParameterView& weights,
                      DType dtype = DType::F32, FileSystem& files = disk());

// Makes the directory if need be, and in it model.safetensors, config.json and
// generation_config.json.
// Throws Error (kFailure).
void write_hf_model(const std::filesystem::path& directory, const ParameterTable& table,
                    const ParameterValues& values_of, int64_t end_of_text, DType dtype = DType::F32,
                    FileSystem& files = disk());
void write_hf_model(const std::filesystem::path& directory, const ParameterView& weights,
                    int64_t end_of_text, DType dtype = DType::F32, FileSystem& files = disk());

}  // namespace weft
