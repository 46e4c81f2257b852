#include "fuzz/fuzz_targets.h"

#include <CLI/CLI.hpp>
#include <array>
#include <sstream>

#include "app/config_file.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/files.h"
#include "data/small_vocabulary.h"
#include "data/token_source.h"
#include "formats/hf_config.h"
#include "formats/hf_model.h"
#include "formats/llmc_model.h"
#include "formats/safetensors.h"
#include "support/temp_directory.h"
#include "train/checkpoint.h"
#include "train/random_state.h"

namespace weft {
namespace {

constexpr Config kTiny = {.L = 1, .NH = 1, .C = 2, .T = 2, .V = 3};

// Where targets put their bytes; one for the whole process, because fuzzers read millions of files.
const TempDirectory& directory() {
  static const TempDirectory the_directory;
  return the_directory;
}

// Written anew: a file system may flush a file to the disk when its content is replaced.
std::filesystem::path put(const std::filesystem::path& path, std::string_view bytes) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

// What a function writes into an empty directory.
template <typename Write>
std::string bytes_of_file(const std::string& name, const Write& write) {
  const TempDirectory made;
  write(made);
  return read_file(made / name);
}

// ---- Models ------------------------------------------------------------------------------------

void read_safetensors(std::string_view bytes) {
  const SafetensorsFile file(put(directory() / "file.safetensors", bytes));
  size_t sum = 0;
  for (const StoredTensor& tensor : file.tensors()) {
    for (const std::byte byte : tensor.bytes) sum += static_cast<size_t>(byte);
  }
  require(sum <= 255 * bytes.size(), "tensors overlap");
}

std::vector<std::string> safetensors_seeds() {
  const TrainingState state = random_state(kTiny, 1);
  return {bytes_of_file("w.safetensors",
                        [&](const TempDirectory& d) {
                          write_hf_weights(d / "w.safetensors", state.weights);
                        }),
          bytes_of_file("w.safetensors", [](const TempDirectory& d) {
            SafetensorsWriter writer(d / "w.safetensors",
                                     {{"scalar", DType::F64, {}}, {"none", DType::BF16, {0, 7}}},
                                     {{"key", "value"}});
            writer.append("12345678", 8);
            writer.finish();
          })};
}

void read_llmc(std::string_view bytes) {
  const auto path = put(directory() / "model.bin", bytes);
  const ParameterTable table(read_llmc_config(path));
  Arena arena;
  read_llmc_weights(path, {&table, arena.vector<float>(table.buffer_size())});
}

std::vector<std::string> llmc_seeds() {
  const TrainingState state = random_state(kTiny, 1);
  std::vector<std::string> seeds;
  for (const DType dtype : {DType::F32, DType::BF16}) {
    seeds.push_back(bytes_of_file("m.bin", [&](const TempDirectory& d) {
      write_llmc_model(d / "m.bin", state.weights, dtype);
    }));
  }
  return seeds;
}

void read_config(std::string_view bytes) {
  put(directory() / "config.json", bytes);
  read_hf_config(directory().path());
}

std::vector<std::string> config_seeds() {
  return {bytes_of_file("config.json",
                        [](const TempDirectory& d) { write_hf_config(d.path(), kTiny, 2); })};
}

// The index of a sharded model, whose one shard holds the tiny model.
void read_index(std::string_view bytes) {
  static const TempDirectory model;
  static const TrainingState state = random_state(kTiny, 1);
  static const bool written = [] {
    write_hf_config(model.path(), kTiny, 2);
    write_hf_weights(model / "a.safetensors", state.weights);
    return true;
  }();
  require(written, "the shard is there");
  put(model / "model.safetensors.index.json", bytes);
  read_hf_weights(model.path(), state.weights);
}

std::vector<std::string> index_seeds() {
  const TempDirectory made;
  const TrainingState state = random_state(kTiny, 1);
  write_hf_weights(made / "a.safetensors", state.weights);
  std::string map;
  const SafetensorsFile file(made / "a.safetensors");
  for (const StoredTensor& tensor : file.tensors()) {
    map += (map.empty() ? "\"" : ",\"") + tensor.name + "\":\"a.safetensors\"";
  }
  return {"{\"metadata\":{\"total_size\":1},\"weight_map\":{" + map + "}}"};
}

// ---- Data --------------------------------------------------------------------------------------

void read_shard(std::string_view bytes) {
  const TokenSource source =
      TokenSource::open_shards({put(directory() / "shard.bin", bytes).string()});
  source.largest_token();
  source.fingerprint();
}

std::vector<std::string> shard_seeds() {
  return {bytes_of_file("s.bin", [](const TempDirectory& d) {
    write_token_shard((d / "s.bin").string(), std::vector<Token>{1, 2, 50256, 65535});
  })};
}

// ---- Tokenizers --------------------------------------------------------------------------------

// What opens must also encode and decode.
void use_tokenizer(const std::string& path) {
  const std::unique_ptr<Tokenizer> tokenizer = open_tokenizer(path);
  const std::string text = "hello world, it's 42 \xF0\x9F\xA6\x99\n";
  require(tokenizer->decode(tokenizer->encode(text)) == text, "text survives its tokens");
}

// vocab.json, a zero byte, merges.txt.
void read_vocabulary_and_merges(std::string_view bytes) {
  static const TempDirectory made;
  const size_t cut = std::min(bytes.find('\0'), bytes.size());
  put(made / "vocab.json", bytes.substr(0, cut));
  put(made / "merges.txt", bytes.substr(std::min(cut + 1, bytes.size())));
  use_tokenizer(made.path());
}

std::vector<std::string> vocabulary_seeds() {
  const SmallVocabulary small;
  return {small.vocab_json() + std::string(1, '\0') + small.merges_txt()};
}

// ---- Runs --------------------------------------------------------------------------------------

// state.json of a checkpoint whose files have the checksums that the seed names.
void read_state(std::string_view bytes) {
  static const TempDirectory run;
  static const std::filesystem::path checkpoint = [] {
    const TrainingState state = random_state(kTiny, 1);
    RunState at_three;
    at_three.step = 3;
    return write_checkpoint(run.path(), at_three, state.weights, state.m, state.v, nullptr);
  }();
  put(checkpoint / "state.json", bytes);
  verify_checkpoint(checkpoint);
}

std::vector<std::string> state_seeds() {
  return {bytes_of_file("checkpoints/step_00000003/state.json", [](const TempDirectory& d) {
    const TrainingState state = random_state(kTiny, 1);
    RunState at_three;
    at_three.step = 3;
    write_checkpoint(d.path(), at_three, state.weights, state.m, state.v, nullptr);
  })};
}

void read_toml(std::string_view bytes) {
  CLI::App app;
  std::vector<std::string> data;
  double lr = 0.;
  bool shuffle = true;
  app.add_option("--data", data);
  app.add_option("--lr", lr);
  app.add_flag("--shuffle,!--no-shuffle", shuffle);
  std::istringstream input{std::string(bytes)};
  ConfigFile("train", app).from_config(input);
}

std::vector<std::string> toml_seeds() {
  return {"data = [\"a.txt\", 'b\\c.txt',] # two\nlr = 0.0003\n\nshuffle = false\n",
          "lr = -1e9\ndata = \"a \\\"quoted\\\" \\n name\"\n"};
}

}  // namespace

std::span<const FuzzTarget> fuzz_targets() {
  static constexpr std::array kTargets = {
      FuzzTarget{"safetensors", &read_safetensors, &safetensors_seeds},
      FuzzTarget{"llmc_model", &read_llmc, &llmc_seeds},
      FuzzTarget{"hf_config", &read_config, &config_seeds},
      FuzzTarget{"hf_index", &read_index, &index_seeds},
      FuzzTarget{"token_shard", &read_shard, &shard_seeds},
      FuzzTarget{"vocabulary", &read_vocabulary_and_merges, &vocabulary_seeds},
      FuzzTarget{"checkpoint_state", &read_state, &state_seeds},
      FuzzTarget{"config_toml", &read_toml, &toml_seeds},
  };
  return kTargets;
}

bool accepts(const FuzzTarget& target, std::string_view bytes) {
  try {
    target.read(bytes);
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInput) throw;
    return false;
  }
}

}  // namespace weft
