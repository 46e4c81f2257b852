// config.json of a Hugging Face GPT-2.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/file_system.h"
#include "formats/dtype.h"
#include "model/config.h"

namespace weft {

inline constexpr const char* kHfConfigFile = "config.json";

// Reads `<directory>/config.json`. Throws Error (kInput) if the model is not GPT-2 as weft computes
// it: another architecture, activation, epsilon, attention scale or MLP width, or
// cross-attention.
Config read_hf_config(const std::filesystem::path& directory);

// tie_word_embeddings in config.json; true if it is missing. Throws as read_hf_config.
bool read_hf_ties_embeddings(const std::filesystem::path& directory);

// eos_token_id in config.json if that is a token of the vocabulary, else V - 1. Throws as
// read_hf_config.
int64_t read_hf_end_of_text(const std::filesystem::path& directory);

// Writes `config.json`, durably. Dropouts are 0, as in weft's training: Hugging Face's default of
// 0.1 would silently change a fine-tune. Throws Error (kFailure).
void write_hf_config(const std::filesystem::path& directory, const Config& config,
                     int64_t end_of_text, DType dtype = DType::F32, FileSystem& files = disk());

// Writes `generation_config.json`, durably. Throws Error (kFailure).
void write_hf_generation_config(const std::filesystem::path& directory, int64_t end_of_text,
                                FileSystem& files = disk());

}  // namespace weft
