#include "formats/hf_config.h"

#include <fmt/format.h>

#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "formats/stored_config.h"

namespace weft {
namespace {

using nlohmann::json;

constexpr const char* kRead = "hf.config";

// One config.json; every error names its path.
class ConfigReader {
 public:
  explicit ConfigReader(const std::filesystem::path& path)
      : path_(path.string()), config_(read_json_object(path, kRead)) {}

  void require_gpt2() const {
    const auto found = config_.find("model_type");
    if (found == config_.end() || *found != "gpt2") throw error("model_type is not \"gpt2\"");
  }

  // GPT2Config accepts two names for each number.
  int64_t number(const char* key, const char* alias) const {
    const auto found = config_.contains(key) ? config_.find(key) : config_.find(alias);
    if (found == config_.end()) throw error(fmt::format("{} is missing", key));
    constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
    if (!found->is_number_unsigned() || found->get<uint64_t>() > kMax) {
      throw error(fmt::format("{} is {}, not a whole number", key, shown(*found)));
    }
    return found->get<int64_t>();
  }

  // A key that is absent or null has GPT2Config's default, the first of `accepted`.
  void require_one_of(const char* key, std::initializer_list<json> accepted) const {
    const auto found = config_.find(key);
    if (found == config_.end() || found->is_null()) return;
    for (const json& value : accepted) {
      if (*found == value) return;
    }
    throw error(
        fmt::format("{} is {}, weft computes {}", key, shown(*found), shown(*accepted.begin())));
  }

  const std::string& path() const { return path_; }

 private:
  static std::string shown(const json& value) { return printable(value.dump()); }

  Error error(const std::string& reason) const {
    return input_error(kRead, path_ + ": " + reason, "weft reads GPT-2 as OpenAI published it");
  }

  std::string path_;
  json config_;
};

// Indented as Hugging Face indents them.
void write_json(const std::filesystem::path& path, const json& value, FileSystem& files) {
  constexpr int kIndent = 2;
  write_file_durably(path, value.dump(kIndent) + "\n", files);
}

json config_json(const Config& config, int64_t end_of_text, DType dtype) {
  return {
      {"activation_function", "gelu_new"},
      {"architectures", {"GPT2LMHeadModel"}},
      {"attn_pdrop", 0.0},
      {"bos_token_id", end_of_text},
      {"embd_pdrop", 0.0},
      {"eos_token_id", end_of_text},
      {"initializer_range", 0.02},
      {"layer_norm_epsilon", 1e-5},
      {"model_type", "gpt2"},
      {"n_ctx", config.T},
      {"n_embd", config.C},
      {"n_head", config.NH},
      {"n_inner", nullptr},
      {"n_layer", config.L},
      {"n_positions", config.T},
      {"reorder_and_upcast_attn", false},
      {"resid_pdrop", 0.0},
      {"scale_attn_by_inverse_layer_idx", false},
      {"scale_attn_weights", true},
      {"tie_word_embeddings", true},
      {"torch_dtype", dtype == DType::BF16 ? "bfloat16" : "float32"},
      {"use_cache", true},
      {"vocab_size", config.V},
  };
}

json generation_config_json(int64_t end_of_text) {
  return {
      {"_from_model_config", true},
      {"bos_token_id", end_of_text},
      {"eos_token_id", end_of_text},
  };
}

}  // namespace

Config read_hf_config(const std::filesystem::path& directory) {
  const ConfigReader reader(directory / kHfConfigFile);
  reader.require_gpt2();
  const Config config = {.L = reader.number("n_layer", "num_hidden_layers"),
                         .NH = reader.number("n_head", "num_attention_heads"),
                         .C = reader.number("n_embd", "hidden_size"),
                         .T = reader.number("n_positions", "max_position_embeddings"),
                         .V = reader.number("vocab_size", "vocab_size")};
  validate_stored(config, kRead, reader.path());
  reader.require_one_of("n_inner", {4 * config.C});
  // Both are names of GELU by tanh.
  reader.require_one_of("activation_function", {"gelu_new", "gelu_pytorch_tanh"});
  reader.require_one_of("layer_norm_epsilon", {1e-5});
  reader.require_one_of("scale_attn_weights", {true});
  reader.require_one_of("scale_attn_by_inverse_layer_idx", {false});
  reader.require_one_of("add_cross_attention", {false});
  return config;
}

bool read_hf_ties_embeddings(const std::filesystem::path& directory) {
  const json config = read_json_object(directory / kHfConfigFile, kRead);
  const auto found = config.find("tie_word_embeddings");
  return found == config.end() || *found == true;
}

int64_t read_hf_end_of_text(const std::filesystem::path& directory) {
  const int64_t V = read_hf_config(directory).V;
  const json config = read_json_object(directory / kHfConfigFile, kRead);
  const auto found = config.find("eos_token_id");
  const bool is_token = found != config.end() && found->is_number_unsigned() &&
                        found->get<uint64_t>() < static_cast<uint64_t>(V);
  return is_token ? found->get<int64_t>() : V - 1;
}

void write_hf_config(const std::filesystem::path& directory, const Config& config,
                     int64_t end_of_text, DType dtype, FileSystem& files) {
  write_json(directory / kHfConfigFile, config_json(config, end_of_text, dtype), files);
}

void write_hf_generation_config(const std::filesystem::path& directory, int64_t end_of_text,
                                FileSystem& files) {
  write_json(directory / "generation_config.json", generation_config_json(end_of_text), files);
}

}  // namespace weft
