#include "observe/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/file_writer.h"

namespace weft {
namespace {

// Perfetto takes process 0 for the idle process and renumbers thread 0: both count from 1 here.
constexpr int kProcess = 1;
constexpr int kProgramTrack = 1;
int track_of(int worker) { return kProgramTrack + 1 + worker; }

int64_t now_ns() noexcept {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

struct Span {
  int64_t begin_ns = std::numeric_limits<int64_t>::max();
  int64_t end_ns = 0;

  bool ended() const { return end_ns != 0; }
  void include(const Span& other) {
    begin_ns = std::min(begin_ns, other.begin_ns);
    end_ns = std::max(end_ns, other.end_ns);
  }
};

struct OpSpan : Span {
  int worker = 0;
};

struct OpLabel {
  std::string name;
  Phase phase;
};

// The file: one event to a line, times in microseconds after the origin.
class EventFile {
 public:
  EventFile(const std::filesystem::path& path, int64_t origin_ns)
      : file_(path), origin_ns_(origin_ns) {
    file_.append("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
  }

  void name(const char* kind, int track, const std::string& name) {
    append(fmt::format(R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{"name":{}}}}})", kind,
                       kProcess, track, quoted(name)));
  }

  void slice(const std::string& name, const char* phase, int64_t step, int track,
             const Span& span) {
    append(fmt::format(R"({{"ph":"X","name":{},"cat":"{}","ts":{:.3f},"dur":{:.3f},"pid":{},)"
                       R"("tid":{},"args":{{"phase":"{}","step":{}}}}})",
                       quoted(name), phase, microseconds(span.begin_ns - origin_ns_),
                       microseconds(span.end_ns - span.begin_ns), kProcess, track, phase, step));
  }

  void finish() {
    file_.append("\n]}\n");
    file_.finish();
  }

 private:
  static double microseconds(int64_t ns) { return static_cast<double>(ns) * 1e-3; }

  void append(const std::string& event) {
    file_.append(separator_);
    file_.append(event);
    separator_ = ",\n";
  }

  FileWriter file_;
  int64_t origin_ns_;
  const char* separator_ = "\n";
};

}  // namespace

struct Trace::Labels {
  std::string program;
  std::vector<OpLabel> ops;
};

class Trace::Run : public Observer {
 public:
  Run(int64_t step, const Labels& labels)
      : step_(step), labels_(labels), spans_(labels.ops.size()) {}

  void op_started(size_t op, int worker) noexcept override {
    spans_[op].worker = worker;
    spans_[op].begin_ns = now_ns();
  }
  void op_ended(size_t op, int) noexcept override { spans_[op].end_ns = now_ns(); }

  // From the first op's start to the last op's end.
  Span span() const {
    Span whole;
    for (const OpSpan& op : spans_) whole.include(op);
    return whole;
  }

  int workers() const {
    int workers = 0;
    for (const OpSpan& op : spans_) workers = std::max(workers, op.worker + 1);
    return workers;
  }

  void write(EventFile& file) const {
    if (const Span whole = span(); whole.ended()) {
      file.slice(labels_.program, "program", step_, kProgramTrack, whole);
    }
    for (size_t i = 0; i < spans_.size(); ++i) {
      if (!spans_[i].ended()) continue;
      const OpLabel& op = labels_.ops[i];
      file.slice(op.name, phase_name(op.phase), step_, track_of(spans_[i].worker), spans_[i]);
    }
  }

 private:
  int64_t step_;
  const Labels& labels_;
  std::vector<OpSpan> spans_;  // by op
};

Trace::Trace() = default;
Trace::~Trace() = default;

const Trace::Labels& Trace::labels_of(const Program& program) {
  std::unique_ptr<const Labels>& known = labels_[&program];
  if (!known) {
    auto labels = std::make_unique<Labels>();
    labels->program = program.name();
    for (const Op& op : program.ops()) labels->ops.push_back({op.name, op.phase});
    known = std::move(labels);
  }
  return *known;
}

Observer* Trace::begin_run(int64_t step, const Program& program) {
  return runs_.emplace_back(std::make_unique<Run>(step, labels_of(program))).get();
}

void Trace::write(const std::filesystem::path& path) const {
  Span whole;
  int workers = 0;
  for (const auto& run : runs_) {
    whole.include(run->span());
    workers = std::max(workers, run->workers());
  }
  EventFile file(path, whole.begin_ns);
  file.name("process_name", kProgramTrack, "rank 0");
  file.name("thread_name", kProgramTrack, "programs");
  for (int worker = 0; worker < workers; ++worker) {
    file.name("thread_name", track_of(worker), fmt::format("worker {}", worker));
  }
  for (const auto& run : runs_) run->write(file);
  file.finish();
}

}  // namespace weft
