#include "timeline/paraver_trace.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <string>

#include "base/file_writer.h"
#include "timeline/paraver_records.h"

namespace weft {
namespace {

// A timeline does not name the collective of a transfer, so none of MPI's own values (7 for a
// broadcast, 10 for an all-reduce) would be right for all of them.
constexpr int kSomeCollective = 1000;

using Values = std::map<std::string, int>;  // of labels, from 1

int add(const std::string& label, Values& values) {
  return values.try_emplace(label, static_cast<int>(values.size()) + 1).first->second;
}

struct Event {
  ParaverEvent type;
  int64_t value;
};

// Numbers the programs and kinds that events refer to.
class Labels {
 public:
  explicit Labels(const Timeline& timeline) {
    for (const RankTimeline& rank : timeline.ranks) {
      for (const TracedProgram& program : rank.programs) {
        add(program.name, programs);
        for (const TracedOp& op : program.ops) {
          add(op.name.kind, kinds);
          layers = std::max(layers, op.name.layer + 1);
        }
      }
    }
  }

  Values programs, kinds;
  int64_t layers = 0;
};

// ---- The records.

class RecordText {
 public:
  RecordText(const Timeline& timeline, const Labels& labels)
      : timeline_(timeline), labels_(labels) {}

  // One line.
  std::string of(const ParaverRecord& record) const {
    // CPU 0, because the CPU is not known, and application 1, because there is only one.
    const std::string where = fmt::format("0:1:{}:{}", record.rank + 1, record.worker + 1);
    if (record.kind == ParaverRecordKind::kState) {
      return fmt::format("1:{}:{}:{}:{}\n", where, record.at_ns, record.until_ns,
                         static_cast<int>(record.state));
    }
    std::string line = fmt::format("2:{}:{}", where, record.at_ns);
    for (const Event& event : events(record)) {
      line += fmt::format(":{}:{}", static_cast<uint32_t>(event.type), event.value);
    }
    return line + '\n';
  }

 private:
  std::vector<Event> events(const ParaverRecord& record) const {
    switch (record.kind) {
      case ParaverRecordKind::kOpBegins: {
        const TracedOp& op = op_of(record);
        return {{ParaverEvent::kKind, labels_.kinds.at(op.name.kind)},
                {ParaverEvent::kPhase, int(op.phase) + 1},
                {ParaverEvent::kLayer, op.name.layer + 1}};
      }
      case ParaverRecordKind::kOpEnds:
        return {{ParaverEvent::kKind, 0}, {ParaverEvent::kPhase, 0}, {ParaverEvent::kLayer, 0}};
      case ParaverRecordKind::kRunBegins:
        return {{ParaverEvent::kStep, run_of(record).step},
                {ParaverEvent::kProgram, labels_.programs.at(program_of(record).name)}};
      case ParaverRecordKind::kRunEnds:
        return {{ParaverEvent::kStep, 0}, {ParaverEvent::kProgram, 0}};
      case ParaverRecordKind::kTransferBegins:
        return {{ParaverEvent::kUnderWay, record.under_way},
                {ParaverEvent::kTransfer, labels_.kinds.at(op_of(record).name.kind)}};
      case ParaverRecordKind::kTransferEnds:
        return {{ParaverEvent::kUnderWay, record.under_way}};
      case ParaverRecordKind::kWaitBegins:
        return {{ParaverEvent::kMpiCollective, kSomeCollective}};
      case ParaverRecordKind::kWaitEnds:
        return {{ParaverEvent::kMpiCollective, 0}};
      case ParaverRecordKind::kState:
        break;
    }
    return {};
  }

  const TracedRun& run_of(const ParaverRecord& record) const {
    return timeline_.ranks[record.rank].runs[record.run];
  }
  const TracedProgram& program_of(const ParaverRecord& record) const {
    return timeline_.ranks[record.rank].programs[run_of(record).program];
  }
  const TracedOp& op_of(const ParaverRecord& record) const {
    return program_of(record).ops[record.op];
  }

  const Timeline& timeline_;
  const Labels& labels_;
};

// #Paraver (day and time):length:nodes:applications:ranks(threads:node,threads:node)
std::string header(const Timeline& timeline) {
  std::string tasks;
  for (const RankTimeline& rank : timeline.ranks) {
    tasks += fmt::format("{}{}:1", tasks.empty() ? "" : ",", rank.workers);
  }
  return fmt::format("#Paraver ({:%d/%m/%Y at %H:%M}):{}_ns:0:1:{}({})\n",
                     fmt::localtime(std::time(nullptr)), end_ns(timeline), timeline.ranks.size(),
                     tasks);
}

// ---- The labels.

constexpr const char* kOptions = R"(DEFAULT_OPTIONS

LEVEL               THREAD
UNITS               NANOSEC
LOOK_BACK           100
SPEED               1
FLAG_ICONS          ENABLED
NUM_OF_STATE_COLORS 1000
YMAX_SCALE          37

DEFAULT_SEMANTIC

THREAD_FUNC         State As Is

STATES
0     Idle
1     Running
13    Group Communication

STATES_COLOR
0     {117,195,255}
1     {0,0,255}
13    {255,144,26}
)";

// A type of events, and the labels of its values.
std::string event_type(ParaverEvent type, const char* name, const std::string& values) {
  const std::string block =
      fmt::format("\n\nEVENT_TYPE\n0    {}    {}\n", static_cast<uint32_t>(type), name);
  return values.empty() ? block : block + "VALUES\n" + values;
}

std::string lines_of(const Values& values, const char* end) {
  std::map<int, std::string> labels = {{0, end}};
  for (const auto& [label, value] : values) labels[value] = label;
  std::string lines;
  for (const auto& [value, label] : labels) lines += fmt::format("{}      {}\n", value, label);
  return lines;
}

std::string labels_text(const Labels& labels) {
  Values phases, layers;
  for (int phase = 0; phase <= int(Phase::kCommunication); ++phase) {
    phases[phase_name(Phase(phase))] = phase + 1;
  }
  for (int layer = 0; layer < labels.layers; ++layer) {
    layers[fmt::format("layer {}", layer)] = layer + 1;
  }
  const Values collective = {{"A collective begun before", kSomeCollective}};
  return kOptions + event_type(ParaverEvent::kKind, "Op", lines_of(labels.kinds, "End")) +
         event_type(ParaverEvent::kPhase, "Phase", lines_of(phases, "End")) +
         event_type(ParaverEvent::kLayer, "Layer", lines_of(layers, "None")) +
         event_type(ParaverEvent::kStep, "Step", "") +
         event_type(ParaverEvent::kProgram, "Program", lines_of(labels.programs, "End")) +
         event_type(ParaverEvent::kUnderWay, "Transfers under way", "") +
         event_type(ParaverEvent::kTransfer, "Transfer begins", lines_of(labels.kinds, "None")) +
         event_type(ParaverEvent::kMpiCollective, "MPI Collective Comm",
                    lines_of(collective, "Outside MPI"));
}

std::string names_text(const Timeline& timeline) {
  std::string tasks, threads;
  int workers = 0;
  for (const RankTimeline& rank : timeline.ranks) {
    tasks += rank.name + '\n';
    for (int worker = 0; worker < rank.workers; ++worker) {
      threads += fmt::format("rank {}, worker {}\n", rank.rank, worker);
    }
    workers += rank.workers;
  }
  return fmt::format("LEVEL TASK SIZE {}\n{}\nLEVEL THREAD SIZE {}\n{}", timeline.ranks.size(),
                     tasks, workers, threads);
}

void write_text(std::filesystem::path path, const char* extension, const std::string& text) {
  FileWriter file(path.replace_extension(extension));
  file.append(text);
  file.finish();
}

}  // namespace

void write_paraver(const std::filesystem::path& path, const Timeline& timeline) {
  const Labels labels(timeline);
  const RecordText text(timeline, labels);
  FileWriter file(path);
  file.append(header(timeline));
  for (const ParaverRecord& record : paraver_records(timeline)) file.append(text.of(record));
  file.finish();
  write_text(path, ".pcf", labels_text(labels));
  write_text(path, ".row", names_text(timeline));
}

}  // namespace weft
