#include "formats/hf_files.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "base/paths.h"
#include "formats/hf_names.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

Error malformed(const fs::path& path, const std::string& reason, const std::string& hint = {}) {
  return input_error("hf.read", path.string() + ": " + reason, hint);
}

// A hostile index must not name files outside its directory.
bool is_shard_name(const std::string& name) {
  return name.ends_with(".safetensors") && name.find('/') == name.npos &&
         name.find('\0') == name.npos;
}

// File -> the tensors that the index says are in it.
std::map<std::string, std::vector<std::string>> read_shard_index(const fs::path& index) {
  const nlohmann::json json = read_json_object(index, "hf.read");
  const auto map = json.find("weight_map");
  if (map == json.end() || !map->is_object()) throw malformed(index, "it has no weight_map");
  std::map<std::string, std::vector<std::string>> shards;
  for (const auto& [tensor, value] : map->items()) {
    const auto file = value.is_string() ? value.get<std::string>() : std::string();
    if (!is_shard_name(file)) {
      throw malformed(index, printable(tensor) + " is not in a .safetensors file of its directory");
    }
    shards[file].push_back(tensor);
  }
  return shards;
}

void open_file(HfFiles& model, const fs::path& path) {
  model.files.emplace_back(path);
  model.paths.push_back(path);
}

void open_shards(HfFiles& model, const fs::path& index) {
  for (const auto& [name, tensors] : read_shard_index(index)) {
    const fs::path path = index.parent_path() / name;
    open_file(model, path);
    for (const std::string& tensor : tensors) {
      if (model.files.back().find(tensor) == nullptr) {
        throw malformed(path,
                        "it does not hold " + printable(tensor) + ", which the index promises");
      }
    }
  }
}

std::string_view without_prefix(std::string_view name) {
  return name.starts_with(kHfPrefix) ? name.substr(kHfPrefix.size()) : name;
}

void index_tensors(HfFiles& model) {
  for (const SafetensorsFile& file : model.files) {
    for (const StoredTensor& tensor : file.tensors()) {
      const std::string_view name = without_prefix(tensor.name);
      if (is_hf_attention_mask(name)) continue;
      if (!model.tensors.emplace(name, &tensor).second) {
        throw malformed(model.path, "it holds " + printable(name) + " twice");
      }
    }
  }
}

}  // namespace

HfFiles open_hf_files(const fs::path& path) {
  HfFiles model = {.path = path, .paths = {}, .files = {}, .tensors = {}};
  if (!directory_exists(path)) {
    open_file(model, path);
  } else if (path_exists(path / kHfWeightsFile)) {
    open_file(model, path / kHfWeightsFile);
  } else if (path_exists(path / kHfIndexFile)) {
    open_shards(model, path / kHfIndexFile);
  } else {
    throw malformed(path, fmt::format("it holds neither {} nor {}", kHfWeightsFile, kHfIndexFile),
                    "save the model with safe_serialization=True");
  }
  index_tensors(model);
  return model;
}

}  // namespace weft
