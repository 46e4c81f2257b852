// The safetensors files of a Hugging Face model, as one set of named tensors: a file alone, a
// directory's model.safetensors, or the shards that its model.safetensors.index.json lists.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "formats/safetensors.h"

namespace weft {

inline constexpr const char* kHfWeightsFile = "model.safetensors";
inline constexpr const char* kHfIndexFile = "model.safetensors.index.json";

// The files of a tokenizer under the names that Hugging Face gives them.
inline constexpr std::array<const char*, 6> kTokenizerFiles = {
    "tokenizer.json",          "vocab.json",       "merges.txt", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json"};

// Movable: the tensors stay where they are.
struct HfFiles {
  std::filesystem::path path;  // the file or directory that was opened, for messages
  std::vector<std::filesystem::path> paths;
  std::vector<SafetensorsFile> files;
  std::map<std::string, const StoredTensor*, std::less<>> tensors;  // by name without prefix
};

// Attention masks are left out. Throws Error (kInput) where a file is missing or malformed, where
// the index names a file outside the directory or a tensor that its file does not hold, and where
// two tensors have one name.
HfFiles open_hf_files(const std::filesystem::path& file_or_directory);

}  // namespace weft
