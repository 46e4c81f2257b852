#include "fuzz/fuzz_targets.h"

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/cli/options.h"
#include "app/commands/inspect/inspection.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/files.h"
#include "base/gzip.h"
#include "data/bpe_tokenizer.h"
#include "data/hellaswag.h"
#include "data/json_lines.h"
#include "data/llmc_tokenizer.h"
#include "data/pretokenizer.h"
#include "data/small_vocabulary.h"
#include "data/token_source.h"
#include "data/tokenizer_json.h"
#include "data/vocabulary_files.h"
#include "exec/executor.h"
#include "formats/hf_config.h"
#include "formats/hf_model.h"
#include "formats/model_format.h"
#include "formats/safetensors.h"
#include "predict/measured_network.h"
#include "predict/op_costs.h"
#include "run/checkpoint.h"
#include "runlog/event_file.h"
#include "runlog/event_records.h"
#include "runlog/run_log.h"
#include "runlog/tensorboard.h"
#include "step/random_state.h"
#include "support/base64.h"
#include "support/hellaswag_bytes.h"
#include "support/temp_directory.h"
#include "timeline/activity.h"
#include "timeline/trace_file.h"

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

// A directory in which a tiny model is written in the format: the file, and others that it may
// need.
std::filesystem::path write_tiny(const ModelFormat& format, const TempDirectory& directory,
                                 DType dtype = DType::F32) {
  const TrainingState state = random_state(kTiny, 1);
  const auto path = directory / ("model" + std::string(format.extension()));
  format.write(path, {.table = *state.table,
                      .values_of = values_of(state.weights),
                      .end_of_text = 2,
                      .dtype = dtype,
                      .tokenizer_files = {}});
  return path;
}

// Reads the config and all weights of the file.
FuzzTarget model_target(const ModelFormat& format) {
  const auto made = std::make_shared<std::optional<TempDirectory>>();
  const auto read = [&format, made](std::string_view bytes) {
    if (!*made) write_tiny(format, made->emplace());
    const auto path = put(**made / ("model" + std::string(format.extension())), bytes);
    const ParameterTable table(format.read_config(path));
    Arena arena;
    read_all(*format.open(path), {&table, arena.vector<float>(table.buffer_size())});
  };
  const auto seeds = [&format] {
    std::vector<std::string> files;
    for (const DType dtype : {DType::F32, DType::BF16}) {
      const TempDirectory directory;
      files.push_back(read_file(write_tiny(format, directory, dtype)));
    }
    return files;
  };
  return {format.name() + std::string("_model"), read, seeds};
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

void read_tokenizer_json_file(std::string_view bytes) {
  use_tokenizer(put(directory() / "tokenizer.json", bytes));
}

BpeVocabulary small_vocabulary() {
  const TempDirectory made;
  SmallVocabulary().write(made);
  return read_vocabulary(find_vocabulary(made.path()).value());
}

// Merges as strings, and as pairs.
std::vector<std::string> tokenizer_json_seeds() {
  const std::string strings = write_tokenizer_json(small_vocabulary());
  nlohmann::json json = nlohmann::json::parse(strings);
  for (nlohmann::json& merge : json["model"]["merges"]) {
    const std::string text = merge.get<std::string>();
    const size_t space = text.find(' ');
    merge = {text.substr(0, space), text.substr(space + 1)};
  }
  return {strings, json.dump()};
}

void read_tiktoken(std::string_view bytes) {
  use_tokenizer(put(directory() / "ranks.tiktoken", bytes));
}

std::vector<std::string> tiktoken_seeds() {
  const BpeVocabulary small = small_vocabulary();
  std::string ranks;
  for (size_t rank = 0; rank + 1 < small.tokens.size(); ++rank) {
    ranks += base64(small.tokens[rank]) + " " + std::to_string(rank) + "\n";
  }
  return {ranks};
}

void read_decoder(std::string_view bytes) {
  const LlmcTokenizer tokenizer =
      read_llmc_tokenizer(put(directory() / "gpt2_tokenizer.bin", bytes));
  require(tokenizer.end_of_text < tokenizer.tokens.size(), "end-of-text is a token");
}

std::vector<std::string> decoder_seeds() {
  const std::array<int32_t, 256> header = {20240328, 2, 3, 2};
  const std::string bytes(reinterpret_cast<const char*>(header.data()), sizeof(header));
  return {bytes + "\1a\2\xFF\n\15<|endoftext|>"};
}

// Any bytes are text: they come back from their ids, and a safe cut changes no id.
void encode_text(std::string_view bytes) {
  static const std::unique_ptr<Tokenizer> tokenizer = make_bpe_tokenizer(small_vocabulary());
  const std::vector<Token> ids = tokenizer->encode(bytes);
  require(tokenizer->decode(ids) == bytes, "text survives its tokens");
  const size_t cut = last_safe_cut(bytes);
  std::vector<Token> parts = tokenizer->encode(bytes.substr(0, cut));
  const std::vector<Token> rest = tokenizer->encode(bytes.substr(cut));
  parts.insert(parts.end(), rest.begin(), rest.end());
  require(parts == ids, "a safe cut changes no id");
}

std::vector<std::string> text_seeds() {
  return {"hello world, it's 42 \xF0\x9F\xA6\x99\n",
          "  we'll \t\xC2\xA0\xE3\x80\x80 x<|endoftext|>\xFF",
          std::string(300, 'a') + std::string(300, ' ') + "hello"};
}

// ---- Documents and questions -------------------------------------------------------------------

void read_json_lines(std::string_view bytes) {
  parse_json_lines({.path = "file.jsonl", .first_line = 1, .lines = std::string(bytes)}, "text");
}

std::vector<std::string> json_lines_seeds() {
  return {"{\"text\": \"one\\n\\u20ac\"}\n\n{\"id\":[1,{}],\"text\":\"two\"}\n"};
}

void read_hellaswag(std::string_view bytes) {
  const HellaSwag file(put(directory() / "hellaswag.bin", bytes));
  file.largest_token(file.examples().size());
}

std::vector<std::string> hellaswag_seeds() {
  return {
      hellaswag_bytes({{{7, 8}, {{{1}, {2}, {3}, {4, 5}}}, 3}, {{9}, {{{1}, {2}, {3}, {4}}}, 0}})};
}

// ---- Runs --------------------------------------------------------------------------------------

// state.json of a checkpoint whose files have the checksums that the seed names.
void read_state(std::string_view bytes) {
  static const TempDirectory run;
  static const std::filesystem::path checkpoint = [] {
    const TrainingState state = random_state(kTiny, 1);
    RunState at_three;
    at_three.step = 3;
    return write_checkpoint(run.path(), at_three, state, nullptr);
  }();
  put(checkpoint / "state.json", bytes);
  verify_checkpoint(checkpoint);
}

std::vector<std::string> state_seeds() {
  return {bytes_of_file("checkpoints/step_00000003/state.json", [](const TempDirectory& d) {
    const TrainingState state = random_state(kTiny, 1);
    RunState at_three;
    at_three.step = 3;
    write_checkpoint(d.path(), at_three, state, nullptr);
  })};
}

void read_toml(std::string_view bytes) {
  Options options("train", "");
  std::vector<std::string> data;
  double lr = 0.;
  bool shuffle = true;
  options.texts("--data", data, "PATH", "");
  options.real("--lr", lr, {-1e12, 1e12}, "");
  options.flag("--shuffle,!--no-shuffle", shuffle, "");
  options.configurable();
  options.parse({"--config", put(directory() / "config.toml", bytes).string()});
}

std::vector<std::string> toml_seeds() {
  return {"data = [\"a.txt\", 'b\\c.txt',] # two\nlr = 0.0003\n\nshuffle = false\n",
          "lr = -1e9\ndata = \"a \\\"quoted\\\" \\n name\"\n"};
}

void read_costs(std::string_view bytes) { read_op_costs(put(directory() / "costs.json", bytes)); }

std::vector<std::string> costs_seeds() {
  ThreadCosts run;
  run.memory_bytes_per_s = 1e10;
  for (const std::string& name : simulated_executor_names())
    run.executors[name] = {1e-6, 2e-6, 0.5};
  run.kinds = {{{"qkv/forward", 1e6, 1e5}, 8, 1e-3}, {{"update", 0., 1e5}, 8, 1e-4}};
  return {to_json(OpCosts{"1", "c", "cpu", "L=1", "fp32", 1, 2, {run}}).dump()};
}

void read_network(std::string_view bytes) {
  Network network;
  read_measured_network(put(directory() / "comm.json", bytes), network);
}

std::vector<std::string> network_seeds() {
  return {R"({"latency_us": 3, "link_bytes_per_s": 1e8, "transfers": [
      {"transfer": "all-reduce", "bytes": 4, "share": 0.01},
      {"transfer": "reduce", "bytes": 4096, "share": 0.5}]})"};
}

// ---- Runs ------------------------------------------------------------------------------------

void read_metrics(std::string_view bytes) { read_run_log(bytes, "metrics.jsonl"); }

std::vector<std::string> metrics_seeds() {
  return {R"({"kind":"run","model":"d12","ranks":1})"
          "\n"
          R"({"kind":"train","step":1,"loss":5.5,"tokens":2,"elapsed_s":0.1,"lr":null})"
          "\n"
          R"({"kind":"val","step":1,"loss":5.5})"
          "\n"
          R"({"kind":"sample","step":1,"text":"a\u00e4"})"
          "\n"};
}

void read_trace(std::string_view bytes) {
  const TraceFile trace = read_trace_file(put(directory() / "trace.json", bytes));
  for (const TraceSlice& slice : trace.slices) {
    require(slice.track < trace.tracks.size() && slice.op < trace.ops.size(),
            "slices name what there is");
  }
  activity(timeline_of(trace));
}

std::vector<std::string> trace_seeds() {
  return {R"({"displayTimeUnit":"ms","traceEvents":[
{"ph":"M","name":"process_name","pid":1,"tid":1,"args":{"name":"rank 0"}},
{"ph":"M","name":"thread_name","pid":1,"tid":2,"args":{"name":"worker 0"}},
{"ph":"M","name":"thread_name","pid":1,"tid":3,"args":{"name":"under way"}},
{"ph":"X","name":"step","cat":"program","ts":3,"dur":5,"pid":1,"tid":1,"args":{"step":1}},
{"ph":"X","name":"block1/a[0]","cat":"forward","ts":3.1,"dur":0.2,"pid":1,"tid":2,"args":{"step":1,
"kind":"a","layer":1,"tiles":"0","flops":12}},
{"ph":"X","name":"b","cat":"communication","ts":3.1,"dur":0.2,"pid":1,"tid":3,"args":{"step":1}}]})"};
}

// ---- Timelines ---------------------------------------------------------------------------------

void inspect_json_trace(std::string_view bytes) { inspect(put(directory() / "t.json", bytes)); }

std::vector<std::string> json_trace_seeds() {
  return {R"({"displayTimeUnit":"ms","traceEvents":[
{"ph":"M","name":"thread_name","pid":1,"tid":2,"args":{"name":"worker 0"}},
{"ph":"X","name":"a","cat":"update","ts":0.5,"dur":1,"pid":1,"tid":2,"args":{"step":4}}]})"};
}

void inspect_packed(std::string_view bytes) { inspect(put(directory() / "t.json.gz", bytes)); }

std::vector<std::string> packed_trace_seeds() {
  return {bytes_of_file("t.json.gz", [](const TempDirectory& d) {
    GzipWriter writer(d / "t.json.gz");
    writer.append(json_trace_seeds().front());
    writer.finish();
  })};
}

void inspect_paraver_trace(std::string_view bytes) { inspect(put(directory() / "t.prv", bytes)); }

std::vector<std::string> paraver_seeds() {
  return {
      "#Paraver (31/12/2030 at 23:59):50_ns:0:1:2(1:1,2:1)\n1:0:1:1:1:0:50:1\n"
      "2:0:1:2:2:0:1004:7:1005:1\n2:0:1:2:2:50:1001:0:1004:0\n",
      "#Paraver (1/1/30 at 1:1):9_ns:2(4,4):1:2(1:1,1:2),1\nc:1:1:2:1:2\n"
      "3:1:1:1:1:0:1:5:1:2:1:8:9:100:7\n1:1:1:1:1:9:9:1\n"};
}

void read_event_file(std::string_view bytes) {
  EventFileReader reader(put(directory() / "events", bytes));
  size_t sum = 0;
  while (const std::optional<Event> event = reader.next()) {
    for (const EventValue& value : event->values) sum += value.tag.size();
  }
  require(sum <= bytes.size(), "tags overlap");
  reader.torn();
}

std::vector<std::string> event_seeds() {
  const TempDirectory made;
  EventLog log(made.path());
  log.begin(2, "seed = 1\n");
  log.write({{"kind", "train"}, {"step", 2}, {"loss", 2.5}});
  return {read_file(std::filesystem::directory_iterator(made.path())->path())};
}

// The message within a record: its checksum keeps wrong bytes in a file from being looked at.
void read_event_message(std::string_view bytes) {
  static const std::string version = event_seeds()[0].substr(0, 40);
  read_event_file(version + event_record(bytes));
}

std::vector<std::string> event_message_seeds() {
  std::vector<std::string> messages;
  const std::string file = event_seeds()[0];
  RecordReader records(file);
  while (const auto message = records.next()) messages.emplace_back(*message);
  return messages;
}

}  // namespace

std::span<const FuzzTarget> fuzz_targets() {
  static const std::vector<FuzzTarget> targets = [] {
    std::vector<FuzzTarget> all = {
        FuzzTarget{"safetensors", &read_safetensors, &safetensors_seeds},
        FuzzTarget{"hf_config", &read_config, &config_seeds},
        FuzzTarget{"hf_index", &read_index, &index_seeds},
        FuzzTarget{"token_shard", &read_shard, &shard_seeds},
        FuzzTarget{"vocabulary", &read_vocabulary_and_merges, &vocabulary_seeds},
        FuzzTarget{"tokenizer_json", &read_tokenizer_json_file, &tokenizer_json_seeds},
        FuzzTarget{"tiktoken", &read_tiktoken, &tiktoken_seeds},
        FuzzTarget{"llmc_tokenizer", &read_decoder, &decoder_seeds},
        FuzzTarget{"encode", &encode_text, &text_seeds},
        FuzzTarget{"json_lines", &read_json_lines, &json_lines_seeds},
        FuzzTarget{"hellaswag", &read_hellaswag, &hellaswag_seeds},
        FuzzTarget{"checkpoint_state", &read_state, &state_seeds},
        FuzzTarget{"config_toml", &read_toml, &toml_seeds},
        FuzzTarget{"op_costs", &read_costs, &costs_seeds},
        FuzzTarget{"measured_network", &read_network, &network_seeds},
        FuzzTarget{"run_log", &read_metrics, &metrics_seeds},
        FuzzTarget{"report_trace", &read_trace, &trace_seeds},
        FuzzTarget{"json_trace", &inspect_json_trace, &json_trace_seeds},
        FuzzTarget{"packed_trace", &inspect_packed, &packed_trace_seeds},
        FuzzTarget{"paraver_trace", &inspect_paraver_trace, &paraver_seeds},
        FuzzTarget{"event_file", &read_event_file, &event_seeds},
        FuzzTarget{"event_message", &read_event_message, &event_message_seeds},
    };
    for (const ModelFormat* format : model_formats()) {
      if (!format->is_directory()) all.push_back(model_target(*format));
    }
    return all;
  }();
  return targets;
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
