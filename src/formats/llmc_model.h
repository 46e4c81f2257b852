// Model files of llm.c (`gpt2_124M.bin`).
//
//   file    = header tensors
//   header  = 256 x int32: magic 20240326, version, maxT, V, L, NH, C, Vp, 248 zeros
//   tensors = wte wpe ln1w ln1b qkvw qkvb attprojw attprojb ln2w ln2b fcw fcb fcprojw fcprojb lnfw
//             lnfb, one after the other. A per-layer tensor holds all its layers, layer 0 first.
//
// Version 3 stores fp32, version 5 bf16; all little-endian, matrices (OC, IC) as in weft. So layer
// l of qkvw, (L, 3C, C) in the file, is weft's `block<l>/qkvw`, (3C, C).
#pragma once

#include <filesystem>
#include <memory>

#include "base/file_system.h"
#include "formats/dtype.h"
#include "formats/model_format.h"
#include "formats/model_reader.h"
#include "model/config.h"
#include "model/parameters.h"

namespace weft {

const ModelFormat& llmc_format();

// Throws Error (kInput) unless the file is whole: a header that makes sense and a payload of
// exactly the size that follows from it.
std::unique_ptr<ModelReader> open_llmc_model(const std::filesystem::path& path);
Config read_llmc_config(const std::filesystem::path& path);

// read_all of open_llmc_model.
NonFiniteWeights read_llmc_weights(const std::filesystem::path& path, const ParameterView& weights);

// Writes version 3 (F32) or 5 (BF16, rounded to nearest even), which appears complete or not at
// all. Asks for each parameter once. Throws Error (kFailure).
void write_llmc_model(const std::filesystem::path& path, const ParameterTable& table,
                      const ParameterValues& values_of, DType dtype = DType::F32,
                      FileSystem& files = disk());
void write_llmc_model(const std::filesystem::path& path, const ParameterView& weights,
                      DType dtype = DType::F32, FileSystem& files = disk());

}  // namespace weft
