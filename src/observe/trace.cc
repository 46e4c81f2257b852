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
constexpr int kProgramTrack = 1;
int track_of(int worker) { return kProgramTrack + 1 + worker; }
// What waits for other ranks is on no worker. Slices of a track must not overlap: it gets as many.
int waiting_track(int workers, size_t lane) { return track_of(workers) + static_cast<int>(lane); }

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
  bool waits;
};

// The events of a rank, one to a line, times in microseconds after the origin.
class Events {
 public:
  Events(int rank, int64_t origin_ns) : process_(rank + 1), origin_ns_(origin_ns) {}

  void name(const char* kind, int track, const std::string& name) {
    append(fmt::format(R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{"name":{}}}}})", kind,
                       process_, track, quoted(name)));
  }

  void slice(const std::string& name, const char* phase, int64_t step, int track,
             const Span& span) {
    append(fmt::format(R"({{"ph":"X","name":{},"cat":"{}","ts":{:.3f},"dur":{:.3f},"pid":{},)"
                       R"("tid":{},"args":{{"phase":"{}","step":{}}}}})",
                       quoted(name), phase, microseconds(span.begin_ns - origin_ns_),
                       microseconds(span.end_ns - span.begin_ns), process_, track, phase, step));
  }

  const std::string& text() const { return text_; }

 private:
  static double microseconds(int64_t ns) { return static_cast<double>(ns) * 1e-3; }

  void append(const std::string& event) {
    if (!text_.empty()) text_ += ",\n";
    text_ += event;
  }

  int process_;
  int64_t origin_ns_;
  std::string text_;
};

// Gives each span the first lane that is free when it begins. Returns their number.
class Lanes {
 public:
  size_t take(const Span& span) {
    const auto free =
        std::ranges::find_if(ends_, [&](int64_t end_ns) { return end_ns <= span.begin_ns; });
    const auto lane = static_cast<size_t>(free - ends_.begin());
    if (free == ends_.end()) ends_.push_back(0);
    ends_[lane] = span.end_ns;
    return lane;
  }
  size_t count() const { return ends_.size(); }

 private:
  std::vector<int64_t> ends_;
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

  // workers: of all runs. Returns the lanes that ops which wait took.
  size_t append_to(Events& events, int workers) const {
    if (const Span whole = span(); whole.ended()) {
      events.slice(labels_.program, "program", step_, kProgramTrack, whole);
    }
    std::vector<size_t> waiting;
    for (size_t i = 0; i < spans_.size(); ++i) {
      if (!spans_[i].ended()) continue;
      const OpLabel& op = labels_.ops[i];
      if (op.waits) {
        waiting.push_back(i);
      } else {
        events.slice(op.name, phase_name(op.phase), step_, track_of(spans_[i].worker), spans_[i]);
      }
    }
    std::ranges::sort(waiting, {}, [&](size_t i) { return spans_[i].begin_ns; });
    Lanes lanes;
    for (size_t i : waiting) {
      const OpLabel& op = labels_.ops[i];
      const int track = waiting_track(workers, lanes.take(spans_[i]));
      events.slice(op.name, phase_name(op.phase), step_, track, spans_[i]);
    }
    return lanes.count();
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
    for (const Op& op : program.ops()) labels->ops.push_back({op.name, op.phase, bool(op.poll)});
    known = std::move(labels);
  }
  return *known;
}

Observer* Trace::begin_run(int64_t step, const Program& program) {
  return runs_.emplace_back(std::make_unique<Run>(step, labels_of(program))).get();
}

int64_t Trace::begin_ns() const {
  Span whole;
  for (const auto& run : runs_) whole.include(run->span());
  return whole.begin_ns;
}

std::string Trace::events(int rank, const std::string& name, int64_t origin_ns) const {
  int workers = 0;
  for (const auto& run : runs_) workers = std::max(workers, run->workers());
  Events events(rank, origin_ns);
  events.name("process_name", kProgramTrack, name);
  events.name("thread_name", kProgramTrack, "programs");
  for (int worker = 0; worker < workers; ++worker) {
    events.name("thread_name", track_of(worker), fmt::format("worker {}", worker));
  }
  size_t lanes = 0;
  for (const auto& run : runs_) lanes = std::max(lanes, run->append_to(events, workers));
  for (size_t lane = 0; lane < lanes; ++lane) {
    events.name("thread_name", waiting_track(workers, lane), "under way");
  }
  return events.text();
}

void Trace::write(const std::filesystem::path& path) const {
  write_trace(path, {events(0, "rank 0", begin_ns())});
}

void write_trace(const std::filesystem::path& path, const std::vector<std::string>& events) {
  FileWriter file(path);
  file.append("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
  const char* separator = "\n";
  for (const std::string& of_rank : events) {
    file.append(separator);
    file.append(of_rank);
    separator = ",\n";
  }
  file.append("\n]}\n");
  file.finish();
}

}  // namespace weft
