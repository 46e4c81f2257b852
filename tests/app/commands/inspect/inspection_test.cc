#include "app/commands/inspect/inspection.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/weft_command.h"
#include "base/file_system.h"
#include "base/gzip.h"
#include "formats/hf_model.h"
#include "runlog/tensorboard.h"
#include "support/error_of.h"
#include "support/hellaswag_bytes.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

using nlohmann::json;

// A file of llm.c: the first numbers of its header, then zeros.
std::string llmc_bytes(std::initializer_list<int32_t> numbers, size_t payload_bytes) {
  std::array<int32_t, 256> header = {};
  std::copy(numbers.begin(), numbers.end(), header.begin());
  std::string bytes(sizeof(header) + payload_bytes, '\0');
  std::memcpy(bytes.data(), header.data(), sizeof(header));
  return bytes;
}

class InspectionTest : public testing::Test {
 protected:
  Inspection inspect_file(std::string_view name, std::string_view bytes) const {
    return inspect(directory_.write(name, bytes));
  }
  std::string error(std::string_view name, std::string_view bytes) const {
    const std::filesystem::path path = directory_.write(name, bytes);
    return error_of([&] { inspect(path); });
  }
  // The text of a fact, or "" if there is none of the name.
  static std::string text(const Inspection& found, std::string_view name) {
    for (const Fact& fact : found.facts) {
      if (fact.name == name) return fact.text;
    }
    return "";
  }

  TempDirectory directory_;
};

TEST_F(InspectionTest, KnowsTokenShardsOfGpt2AndOfLlama3) {
  const Inspection gpt2 = inspect_file("a.bin", llmc_bytes({20240520, 1, 7}, 14));
  const Inspection llama = inspect_file("b.bin", llmc_bytes({20240801, 7, 3}, 12));

  EXPECT_EQ(gpt2.kind, "token shard");
  EXPECT_EQ(text(gpt2, "tokens"), "7");
  EXPECT_TRUE(mentions(llama.kind, {"LLaMA-3"}));
  EXPECT_TRUE(mentions(text(llama, "used by weft"), {"no"}));
  EXPECT_TRUE(mentions(error("a.bin", llmc_bytes({20240520, 1, 7}, 13)), {"truncated"}));
  EXPECT_TRUE(mentions(error("b.bin", llmc_bytes({20240801, 7, 3}, 11)), {"truncated"}));
  EXPECT_TRUE(mentions(error("b.bin", llmc_bytes({20240801, 7, 3}, 13)), {"trailing bytes"}));
  EXPECT_TRUE(mentions(error("b.bin", llmc_bytes({20240801, 1, 3}, 12)), {"version 1"}));
  EXPECT_TRUE(mentions(error("b.bin", llmc_bytes({20240801, 7, -1}, 0)), {"trailing bytes"}));
}

TEST_F(InspectionTest, KnowsHellaSwagFiles) {
  const Question question = {.context = {7}, .completions = {{{1}, {2}, {3}, {9}}}};
  const std::string bytes = hellaswag_bytes({question, question});

  const Inspection found = inspect_file("questions", bytes);

  EXPECT_EQ(found.kind, "HellaSwag questions");
  EXPECT_EQ(text(found, "examples"), "2");
  EXPECT_EQ(text(found, "largest token id"), "9");
  EXPECT_TRUE(mentions(error("questions", bytes.substr(0, bytes.size() - 1)), {"truncated"}));
}

TEST_F(InspectionTest, NamesDebugStatesOfLlmcAndSaysThatTheirSizeDependsOnTheModel) {
  const Inspection found = inspect_file("state.bin", llmc_bytes({20240327, 2, 4, 64}, 100));

  EXPECT_TRUE(mentions(found.kind, {"debug state"}));
  EXPECT_EQ(text(found, "B"), "4");
  EXPECT_EQ(text(found, "T"), "64");
  EXPECT_TRUE(mentions(found.doubt, {"does not say of which model"}));
  EXPECT_TRUE(mentions(error("state.bin", llmc_bytes({20240327, 1, 4, 64}, 0)), {"version 1"}));
  EXPECT_TRUE(mentions(error("state.bin", llmc_bytes({20240327, 2, -4, 64}, 0)), {"-4 x 64"}));
  EXPECT_TRUE(mentions(error("state.bin", llmc_bytes({20240327, 2, 4, 64}, 0).substr(0, 99)),
                       {"header is not whole"}));
}

TEST_F(InspectionTest, KnowsADebugStateOfGpt2ByItsSize) {
  const std::filesystem::path path =
      directory_.write("state.bin", llmc_bytes({20240327, 2, 4, 64}, 0));
  std::filesystem::resize_file(path, 549369860);  // holes: takes no disk

  const Inspection found = inspect(path);

  EXPECT_EQ(text(found, "model"), "gpt2");
  EXPECT_EQ(found.doubt, "");
}

TEST_F(InspectionTest, NamesTrainingStatesOfLlmc) {
  const Inspection plain =
      inspect_file("s.bin", llmc_bytes({20240527, 1, 2, 1, 1, 0, 0, 0, 0, 0, 30}, 24));
  const Inspection shuffled = inspect_file("s.bin", llmc_bytes({20240527, 1, 2, 1, 0, 1}, 24));

  EXPECT_EQ(text(plain, "step"), "30");
  EXPECT_EQ(text(plain, "parameters"), "2");
  EXPECT_EQ(plain.doubt, "");
  EXPECT_NE(shuffled.doubt, "");
  EXPECT_TRUE(mentions(error("s.bin", llmc_bytes({20240527, 1, 2, 1, 1}, 23)), {"truncated"}));
  EXPECT_TRUE(mentions(error("s.bin", llmc_bytes({20240527, 1, 2, 1, 1}, 0)), {"truncated"}));
}

TEST_F(InspectionTest, CountsTheLinesOfMetrics) {
  const std::string lines =
      "{\"kind\":\"run\",\"version\":\"1\"}\n{\"kind\":\"train\",\"step\":1}\n"
      "{\"kind\":\"train\",\"step\":2}\n{\"kind\":\"val\",\"step\":2}\n";

  const Inspection found = inspect_file("metrics.jsonl", lines);
  const Inspection elsewhere = inspect_file("old.txt", lines);

  EXPECT_EQ(text(found, "lines"), "1 run, 2 train, 1 val");
  EXPECT_EQ(text(found, "last step"), "2");
  EXPECT_EQ(found.flaw, "");
  EXPECT_EQ(elsewhere.kind, found.kind);
}

TEST_F(InspectionTest, ReportsATornLastLineAndRefusesOneBefore) {
  const std::string first = "{\"kind\":\"train\",\"step\":1}\n";
  const Inspection torn = inspect_file("metrics.jsonl", first + "{\"kind\":\"tra");

  EXPECT_TRUE(mentions(torn.flaw, {"line 2 breaks off after 12 bytes"}));
  EXPECT_EQ(text(torn, "lines"), "1 train");
  EXPECT_TRUE(mentions(error("metrics.jsonl", first + "{\"kind\"\n" + first), {"line 2"}));
  EXPECT_TRUE(mentions(error("metrics.jsonl", first + "{\"kind\":3}\n"), {"line 2", "kind"}));
  EXPECT_TRUE(mentions(error("metrics.jsonl", first + "\n" + first), {"line 2"}));
  EXPECT_TRUE(mentions(error("metrics.jsonl", ""), {"no lines"}));
}

TEST_F(InspectionTest, ShowsTheLastLossesOfMetrics) {
  const Inspection found = inspect_file(
      "metrics.jsonl",
      "{\"kind\":\"train\",\"step\":1,\"loss\":5.5}\n{\"kind\":\"val\",\"step\":1,\"loss\":4.25}\n"
      "{\"kind\":\"train\",\"step\":2,\"loss\":3.14159}\n{\"kind\":\"val\",\"step\":2,\"loss\":"
      "null}\n");

  EXPECT_EQ(text(found, "last loss"), "3.1416");
  EXPECT_EQ(text(found, "last validation loss"), "4.2500");
}

// The bytes of an event file.
std::string event_bytes() {
  const TempDirectory made;
  EventLog log(made.path());
  log.begin(3, "seed = 1\n");
  log.write({{"kind", "train"}, {"step", 3}, {"loss", 2.5}, {"lr", 0.25}});
  log.write({{"kind", "val"}, {"step", 4}, {"loss", 2.25}});
  return read_file(std::filesystem::directory_iterator(made.path())->path());
}

TEST_F(InspectionTest, SumsUpAnEventFileByNameOrContent) {
  const Inspection found = inspect_file("events.out.tfevents.1.host", event_bytes());
  const Inspection renamed = inspect_file("renamed", event_bytes());

  EXPECT_EQ(found.kind, "TensorBoard events");
  EXPECT_EQ(renamed.kind, found.kind);
  EXPECT_EQ(found.flaw, "");
  EXPECT_EQ(text(found, "records"), "5");
  EXPECT_EQ(text(found, "sessions"), "1");
  EXPECT_EQ(text(found, "scalars"), "train/loss, train/lr, val/loss");
  EXPECT_EQ(text(found, "texts"), "run/config");
  EXPECT_EQ(text(found, "first step"), "3");
  EXPECT_EQ(text(found, "last step"), "4");
  EXPECT_EQ(text(found, "last loss"), "2.5000");
  EXPECT_EQ(text(found, "last validation loss"), "2.2500");
}

TEST_F(InspectionTest, TellsATornEventFileFromADamagedOne) {
  const std::string bytes = event_bytes();
  std::string damaged = bytes;
  damaged[bytes.size() - 6] ^= 1;

  const Inspection torn = inspect_file("e.tfevents", bytes.substr(0, bytes.size() - 1));

  EXPECT_TRUE(mentions(torn.flaw, {"e.tfevents breaks off", "record 5"}));
  EXPECT_EQ(text(torn, "last loss"), "2.5000");
  EXPECT_TRUE(mentions(error("e.tfevents", damaged), {"record 5", "checksum of its data"}));
  EXPECT_TRUE(mentions(error("e.tfevents", "junk that is long enough"), {"record 1", "length"}));
}

TEST_F(InspectionTest, TagsOfAnEventFileCannotDisturbATerminal) {
  nlohmann::ordered_json record = {{"kind", "x"}, {"step", 1}, {"\x1b[2J\n", 0.5}};
  for (int i = 0; i < 30; ++i) record["y" + std::to_string(i)] = i;
  std::string bytes = event_bytes() + event_of(record, 0.);

  const Inspection found = inspect_file("e.tfevents", bytes);

  EXPECT_EQ(text(found, "scalars").find('\x1b'), std::string::npos);
  EXPECT_TRUE(mentions(text(found, "scalars"), {"train/loss", "and 14 more"}));
}

TEST_F(InspectionTest, CountsSlicesAndLanesOfATrace) {
  const std::string trace =
      R"({"displayTimeUnit":"ms","traceEvents":[
      {"ph":"M","name":"thread_name","pid":1,"tid":9,"args":{"name":"x"}},
      {"ph":"X","name":"a","ts":1.0,"dur":2.5,"pid":1,"tid":1,"args":{"ph":"M","tid":7}},
      {"ph":"X","name":"b","ts":0.5,"dur":1,"pid":1,"tid":2},
      {"ph":"X","name":"c","ts":4,"dur":1.5,"pid":1,"tid":2}]})";

  const Inspection found = inspect_file("trace.json", trace);

  EXPECT_EQ(text(found, "slices"), "3");
  EXPECT_EQ(text(found, "lanes"), "2");
  EXPECT_EQ(text(found, "seconds"), "0.000005");
  for (size_t bytes = trace.find("traceEvents") + 13; bytes < trace.size(); ++bytes) {
    ASSERT_TRUE(mentions(error("trace.json", trace.substr(0, bytes)), {"breaks off"})) << bytes;
  }
  EXPECT_TRUE(mentions(error("trace.json", trace + "x"), {"damaged"}));
  EXPECT_TRUE(mentions(error("trace.json", R"({"traceEvents":3})"), {"no traceEvents"}));
}

// Facts that other programs' traces lack.
TEST_F(InspectionTest, CountsRanksThreadsStepsAndOpsOfATraceOfWeft) {
  const Inspection found = inspect_file("trace.json", R"({"traceEvents":[
      {"ph":"M","name":"thread_name","pid":1,"tid":2,"args":{"name":"worker 0"}},
      {"ph":"M","name":"thread_name","pid":1,"tid":3,"args":{"name":"worker 1"}},
      {"ph":"M","name":"thread_name","pid":2,"tid":2,"args":{"name":"worker 0"}},
      {"ph":"M","name":"process_name","pid":2,"args":{"name":"worker 0"}},
      {"ph":"X","name":"step","cat":"program","ts":0,"dur":9,"pid":1,"tid":1,"args":{"step":4}},
      {"ph":"X","name":"a","cat":"update","ts":0,"dur":1,"pid":1,"tid":2,"args":{"step":4}},
      {"ph":"X","name":"a","cat":"update","ts":0,"dur":1,"pid":2,"tid":2,"args":{"step":5}}]})");

  EXPECT_EQ(text(found, "ranks"), "2");
  EXPECT_EQ(text(found, "threads"), "3");
  EXPECT_EQ(text(found, "steps"), "2");
  EXPECT_EQ(text(found, "ops"), "2");
  EXPECT_EQ(text(found, "slices"), "3");
  EXPECT_EQ(text(inspect_file("trace.json", R"({"traceEvents":[]})"), "ranks"), "");
}

TEST_F(InspectionTest, UnpacksACompressedTrace) {
  const std::string trace =
      R"({"traceEvents":[{"ph":"X","name":"a","ts":1.0,"dur":2.5,"pid":1,"tid":1}]})";
  const auto packed = [&](const std::string& content) {
    GzipWriter writer(directory_ / "packed");
    writer.append(content);
    writer.finish();
    return read_file(directory_ / "packed");
  };
  const std::string whole = packed(trace);

  EXPECT_EQ(text(inspect_file("trace.json.gz", whole), "slices"), "1");
  EXPECT_EQ(text(inspect_file("any-name", whole), "slices"), "1");
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    ASSERT_TRUE(mentions(error("trace.json.gz", whole.substr(0, bytes)), {"breaks off"})) << bytes;
  }
  EXPECT_TRUE(mentions(error("trace.json.gz", packed(trace + "x")), {"damaged"}));
  EXPECT_TRUE(mentions(error("trace.json.gz", packed("{}")), {"no traceEvents"}));
  EXPECT_TRUE(mentions(error("trace.json.gz", trace), {"damaged"}));
}

TEST_F(InspectionTest, ChecksEveryRecordOfAParaverTrace) {
  const std::string header = "#Paraver (31/12/2030 at 23:59):50_ns:0:1:2(1:1,2:1)\n";
  const std::string records =
      "1:0:1:1:1:0:50:1\n2:0:1:2:2:0:1004:7:1005:1\n2:0:1:2:2:5:1001:3:1002:2\n"
      "2:0:1:2:1:6:1006:1:1007:9\n2:0:1:2:2:50:1001:0\n"
      "2:0:1:2:2:50:1004:0:1005:0\n";
  directory_.write("t.pcf", "");

  const Inspection found = inspect_file("t.prv", header + records);

  EXPECT_EQ(found.kind, "trace (Paraver)");
  EXPECT_EQ(text(found, "ranks"), "2");
  EXPECT_EQ(text(found, "threads"), "3");
  EXPECT_EQ(text(found, "steps"), "1");
  EXPECT_EQ(text(found, "ops"), "2");
  EXPECT_EQ(text(found, "records"), "6");
  EXPECT_EQ(text(found, "seconds"), "0.000000");
  ASSERT_EQ(found.notes.size(), 1u);
  EXPECT_TRUE(mentions(found.notes[0], {"t.row"}));
  for (size_t bytes = 12; bytes < header.size() + records.size(); ++bytes) {
    ASSERT_NE(error("t.prv", (header + records).substr(0, bytes)), "") << bytes;
  }
  // Of several nodes, with communicators, a message and a comment, as other programs write them.
  EXPECT_EQ(text(inspect_file("t.prv",
                              "#Paraver (1/1/30 at 1:1):9_ns:2(4,4):1:2(1:1,1:2),1\nc:1:1:2:1:2\n"
                              "# a comment\n3:1:1:1:1:0:1:5:1:2:1:8:9:100:7\n1:1:1:1:1:9:9:1\n"),
                 "records"),
            "2");
}

TEST_F(InspectionTest, SaysWhichRecordOfAParaverTraceIsWrong) {
  for (const char* line :
       {"", "4:0:1:1:1:0:9:1", "1:0:2:1:1:0:9:1", "1:0:1:2:1:0:9:1", "1:0:1:0:1:0:9:1",
        "1:0:1:1:3:0:9:1", "1:0:1:1:1:0:10:1", "1:0:1:1:1:5:4:1", "1:0:1:1:1:0:9",
        "1:0:1:1:1:0:9:1:1", "1:0:1:1:1:-1:9:1", "2:0:1:1:1:0", "2:0:1:1:1:0:1001",
        "2:0:1:1:1:0:1001:x", "2:0:1:1:1:0:1001:99999999999999999999",
        "3:0:1:1:1:0:0:0:1:9:1:0:0:1:1", "x"}) {
    const std::string message = error("t.prv", "#Paraver (1/1/30 at 1:1):9_ns:0:1:1(2:1)\n" +
                                                   std::string(line) + "\n2:0:1:1:1:9:1:0\n");
    EXPECT_TRUE(mentions(message, {"t.prv", "line 2: "})) << line;
  }
  for (const char* header :
       {"#Paraver (", "#Paraver (x):9_ns:0:1:1(2:1", "#Paraver (x):9_ns:0:2:1(2:1)",
        "#Paraver (x):9:0:1:1(2:1)", "#Paraver (x):9_ns:0:1:2(2:1)",
        "#Paraver (x):9_ns:0:1:1(2:1):", "#Paraver (x):9_ns:0:1:1(99999999:1)"}) {
    EXPECT_TRUE(mentions(error("t.prv", std::string(header) + "\n"), {"line 1: "})) << header;
  }
  EXPECT_TRUE(mentions(error("t.prv",
                             "#Paraver (1/1/30 at 1:1):9_ns:0:1:1(2:1)\n2:0:1:1:1:5:1:0\n"
                             "2:0:1:1:1:4:1:0\n"),
                       {"line 3: ", "earlier"}));
}

TEST_F(InspectionTest, ReadsAConfigurationAsTrainDoes) {
  const Inspection found = inspect_file("config.toml", "model = \"d6\"\nout = \"here\"\n");

  EXPECT_EQ(text(found, "model"), "d6");
  EXPECT_TRUE(
      mentions(error("config.toml", "modle = \"d6\"\n"), {"config.toml", "modle", "model"}));
  EXPECT_TRUE(mentions(error("config.toml", "model = \"d6\n"), {"line 1", "string"}));
}

// A safetensors file of one fp32 scalar with this name.
std::string one_tensor(const std::string& name) {
  std::string header = "{\"" + name + R"(":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  std::string size(8, '\0');
  size[0] = static_cast<char>(header.size());
  return size + header + std::string(4, '\0');
}

TEST_F(InspectionTest, ChecksThatAnIndexAndItsFilesAgree) {
  directory_.write("model-1.safetensors", one_tensor("a"));
  directory_.write("model-2.safetensors", one_tensor("b"));
  const char* name = "model.safetensors.index.json";

  const Inspection found =
      inspect_file(name, R"({"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}})");

  EXPECT_EQ(text(found, "files"), "2");
  EXPECT_EQ(text(found, "tensors"), "2");
  EXPECT_TRUE(mentions(error(name, R"({"weight_map":{"b":"model-1.safetensors"}})"),
                       {"model-1.safetensors does not hold \"b\""}));
  EXPECT_TRUE(mentions(error(name, R"({"weight_map":{"b":"model-3.safetensors"}})"), {"model-3"}));
  EXPECT_TRUE(mentions(error(name, R"({"weight_map":{"b":"../b.safetensors"}})"),
                       {"names no file beside it"}));
  EXPECT_TRUE(mentions(error(name, R"({"weight_map":[]})"), {"no weight_map"}));
}

TEST_F(InspectionTest, PassesOverAnIndexBesideAWholeModel) {
  const ParameterTable table({.L = 1, .NH = 1, .C = 1, .T = 2, .V = 3});
  const std::vector<float> zeros(static_cast<size_t>(table.count()));
  write_hf_model(
      directory_ / "model", table,
      [&](const Parameter& p) {
        return Vector<const float>(zeros).first(static_cast<size_t>(p.size()));
      },
      /*end_of_text=*/2);
  directory_.write("model/model.safetensors.index.json",
                   R"({"weight_map":{"a":"gone.safetensors"}})");

  EXPECT_EQ(inspect(directory_ / "model").kind, "Hugging Face model");
  EXPECT_EQ(inspect(directory_ / "model" / "model.safetensors").kind,
            "GPT-2 weights (safetensors)");
}

TEST_F(InspectionTest, TellsMomentsFromOtherTensors) {
  EXPECT_EQ(inspect_file("optimizer.safetensors", one_tensor("m/wte")).kind,
            "AdamW moments of a weft checkpoint");
  EXPECT_EQ(inspect_file("x.safetensors", one_tensor("wte.weight")).kind, "safetensors file");
}

TEST_F(InspectionTest, TakesWhatLooksLikeATokenizerToTheTokenizers) {
  // The reader's own complaint shows that it was asked.
  EXPECT_FALSE(mentions(error("merges.txt", "#version: 0.2\n"), {"nothing that weft knows"}));
  EXPECT_FALSE(mentions(error("r50k.tiktoken", "IQ== 0\nIg== 1\n"), {"nothing that weft knows"}));
  EXPECT_FALSE(mentions(error("my_tokenizer.json", R"({"model":{"type":"BPE","vocab":{"a":0}}})"),
                        {"nothing that weft knows"}));
  EXPECT_FALSE(
      mentions(error("t.bin", llmc_bytes({20240328, 2, 1, 0}, 1)), {"nothing that weft knows"}));
}

TEST_F(InspectionTest, RefusesWhatItDoesNotKnow) {
  const std::filesystem::path fifo = directory_ / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);

  for (const std::string_view bytes : {"", "x", "hello world\n", "a 1 2\n", "{}", "{\"a\":1}"}) {
    EXPECT_TRUE(mentions(error("file", bytes), {"nothing that weft knows"})) << bytes;
  }
  EXPECT_TRUE(mentions(error("file", "{\"a\":"), {"not JSON"}));
  EXPECT_TRUE(mentions(error("corpus.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n"),
                       {"JSON Lines", "weft tokenize"}));
  EXPECT_TRUE(mentions(error("file.safetensors", ""), {"file.safetensors"}));
  EXPECT_TRUE(mentions(error_of([&] { inspect(fifo); }), {"no file or directory"}));
  EXPECT_TRUE(mentions(error_of([&] { inspect(directory_ / "absent"); }), {"absent"}));
}

class InspectCommand : public WeftCommand {};

TEST_F(InspectCommand, PrintsJsonForMachines) {
  write_text();
  ASSERT_EQ(weft(training({"--steps", "4", "--checkpoint-every", "2"})).status, 0);

  const CommandResult run = weft({"inspect", "--json", path("run")});

  ASSERT_EQ(run.status, 0) << run.err;
  const json values = json::parse(run.out);
  EXPECT_EQ(values["kind"], "weft run directory");
  EXPECT_EQ(values["checkpoints"], 2);
  EXPECT_EQ(values["step"], 4);
  EXPECT_EQ(values["lines"]["train"], 4);
  EXPECT_EQ(values["whole"], true);
}

TEST_F(InspectCommand, ChecksEveryCheckpointOfARunAndWhatIsBesideThem) {
  write_text();
  ASSERT_EQ(weft(training({"--steps", "4", "--checkpoint-every", "2"})).status, 0);
  const auto damage = [&](const char* name) {
    const std::string bytes = read_file(path(name));
    write_file_durably(path(name), bytes.substr(0, bytes.size() - 2));
    const CommandResult result = weft({"inspect", path("run")});
    write_file_durably(path(name), bytes);
    return result;
  };

  EXPECT_TRUE(is_input_error(damage("run/checkpoints/step_00000002/model.safetensors"),
                             {"step_00000002/model.safetensors"}));
  EXPECT_TRUE(is_input_error(damage("run/checkpoints/step_00000004/state.json"), {"state.json"}));
  EXPECT_EQ(weft({"inspect", path("run")}).status, 0);
  EXPECT_EQ(weft({"inspect", path("run/config.toml")}).status, 0);
  EXPECT_EQ(weft({"inspect", path("run/metrics.jsonl")}).status, 0);
}

TEST_F(InspectCommand, ReadsTheEventFilesOfARun) {
  write_text();
  ASSERT_EQ(weft(training({"--steps", "2", "--tensorboard"})).status, 0);
  const std::string torn = path("run/events.out.tfevents.0000000001.host.1.0");
  write_file_durably(torn, event_bytes().substr(0, 100));

  const CommandResult run = weft({"inspect", "--json", path("run")});
  const CommandResult file = weft({"inspect", "--json", torn});

  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(json::parse(run.out)["event_files"], 2);
  EXPECT_TRUE(mentions(run.err, {"note: ", "0000000001.host.1.0 breaks off"}));
  EXPECT_EQ(file.status, 2);
  EXPECT_TRUE(mentions(file.err, {"weft: error: [inspect]", "breaks off"}));
  EXPECT_EQ(json::parse(file.out)["whole"], false);
}

TEST_F(InspectCommand, TellsWhatItCanOfARunWithoutACheckpoint) {
  write_text();
  ASSERT_EQ(weft(training({"--steps", "2"})).status, 0);
  std::filesystem::remove_all(path("run/checkpoints"));

  const CommandResult result = weft({"inspect", "--json", path("run")});

  EXPECT_EQ(result.status, 2);
  EXPECT_TRUE(mentions(result.err, {"run is a run directory without a checkpoint"}));
  EXPECT_EQ(json::parse(result.out)["lines"]["train"], 2);
}

TEST_F(InspectCommand, TellsWhatItCanOfATornFileAndExitsWith2) {
  directory_.write("metrics.jsonl", "{\"kind\":\"train\",\"step\":1}\n{\"ki");

  const CommandResult result = weft({"inspect", path("metrics.jsonl"), "--json"});

  EXPECT_EQ(result.status, 2);
  EXPECT_TRUE(mentions(result.err, {"weft: error: [inspect]", "line 2 breaks off"}));
  const json values = json::parse(result.out);
  EXPECT_EQ(values["whole"], false);
  EXPECT_EQ(values["lines"]["train"], 1);
}

TEST_F(InspectCommand, RefusesToGuessWhereAHeaderDoesNotSay) {
  directory_.write("debug.bin", llmc_bytes({20240327, 2, 4, 64}, 100));

  const CommandResult result = weft({"inspect", path("debug.bin"), "--json"});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(json::parse(result.out)["whole"].is_null());
}

TEST_F(InspectCommand, KnowsTheTracesThatTrainWrites) {
  write_text();
  for (const char* name : {"t.json", "t.json.gz", "t.prv"}) {
    std::filesystem::remove_all(directory_ / "run");
    ASSERT_EQ(weft(training({"--steps", "2", "--threads", "2", "--trace", path(name)})).status, 0);

    const CommandResult result = weft({"inspect", path(name), "--json"});

    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.err, "");
    const json values = json::parse(result.out);
    EXPECT_EQ(values["ranks"], 1) << name;
    EXPECT_EQ(values["threads"], 2) << name;
    EXPECT_EQ(values["steps"], 2) << name;
    EXPECT_GT(values["ops"], 10) << name;
    EXPECT_GT(values["seconds"], 0.) << name;
  }
}

}  // namespace
}  // namespace weft
