// Serializes timelines, for ranks of one run to send each other: numbers in this machine's byte
// order, texts and lists after their lengths.
#include <fmt/format.h>

#include <cstring>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "timeline/timeline.h"

namespace weft {
namespace {

constexpr uint32_t kMark = 0x57544C32;  // changes whenever the format does

class Writer {
 public:
  template <typename T>
  void number(T n) {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&n), sizeof(n));
  }
  void size(size_t n) { number<uint64_t>(n); }
  void text(const std::string& text) {
    size(text.size());
    bytes_ += text;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T number() {
    T n;
    std::memcpy(&n, take(sizeof(n)).data(), sizeof(n));
    return n;
  }
  // The length of a list whose items take at least `least_bytes` each. It is checked against the
  // bytes that are left, so memory for the list may be reserved.
  size_t size(size_t least_bytes) {
    const auto n = number<uint64_t>();
    check(n <= bytes_.size() / least_bytes, "a list is longer than what is there");
    return static_cast<size_t>(n);
  }
  std::string text() { return std::string(take(size(1))); }
  void finish() const { check(bytes_.empty(), "there is more than one timeline"); }

  static void check(bool holds, const char* otherwise) {
    if (!holds) {
      throw failure("timeline", fmt::format("a rank sent no timeline: {}", otherwise),
                    "do all ranks run the same build of weft?");
    }
  }

 private:
  std::string_view take(size_t n) {
    check(n <= bytes_.size(), "it breaks off");
    const std::string_view taken = bytes_.substr(0, n);
    bytes_.remove_prefix(n);
    return taken;
  }

  std::string_view bytes_;
};

void write(const OpName& name, Writer& to) {
  to.text(name.kind);
  to.number(name.layer);
  to.text(name.parameter);
  to.number(name.index);
  to.text(name.tile);
}

OpName read_name(Reader& from) {
  OpName name{.kind = from.text()};
  name.layer = from.number<int64_t>();
  name.parameter = from.text();
  name.index = from.number<int64_t>();
  name.tile = from.text();
  return name;
}

void write(const TracedProgram& program, Writer& to) {
  to.text(program.name);
  to.size(program.ops.size());
  for (size_t i = 0; i < program.ops.size(); ++i) {
    const TracedOp& op = program.ops[i];
    write(op.name, to);
    to.number(op.phase);
    to.number(static_cast<uint8_t>(op.waits));
    to.number(op.bytes_read);
    to.number(op.bytes_written);
    to.number(op.flops);
    to.number(op.begun_by);
    to.size(program.predecessors[i].size());
    for (const uint32_t before : program.predecessors[i]) to.number(before);
  }
}

TracedProgram read_program(Reader& from) {
  TracedProgram program{.name = from.text(), .ops = {}, .predecessors = {}};
  const size_t ops = from.size(sizeof(uint64_t));
  for (size_t i = 0; i < ops; ++i) {
    TracedOp op{.name = read_name(from), .phase = from.number<Phase>()};
    Reader::check(op.phase <= Phase::kCommunication, "an op has an unknown phase");
    op.waits = from.number<uint8_t>() != 0;
    op.bytes_read = from.number<int64_t>();
    op.bytes_written = from.number<int64_t>();
    op.flops = from.number<double>();
    op.begun_by = from.number<uint32_t>();
    Reader::check(op.begun_by < i || op.begun_by == TracedOp::kNone,
                  "an op waits for one that does not come before it");
    program.ops.push_back(std::move(op));
    std::vector<uint32_t>& predecessors =
        program.predecessors.emplace_back(from.size(sizeof(uint32_t)));
    for (uint32_t& before : predecessors) {
      before = from.number<uint32_t>();
      Reader::check(before < i, "an op depends on one that does not come before it");
    }
  }
  return program;
}

void write(const TracedRun& run, Writer& to) {
  to.number(run.step);
  to.number(run.program);
  to.size(run.spans.size());
  for (const OpSpan& span : run.spans) {
    to.number(span.begin_ns);
    to.number(span.end_ns);
    to.number(span.worker);
  }
}

TracedRun read_run(Reader& from, const RankTimeline& timeline) {
  TracedRun run{.step = from.number<int64_t>(), .program = from.number<uint32_t>(), .spans = {}};
  Reader::check(run.program < timeline.programs.size(), "a run is of an unknown program");
  run.spans.resize(from.size(sizeof(int64_t)));
  Reader::check(run.spans.size() == timeline.programs[run.program].ops.size(),
                "a run has other ops than its program");
  for (OpSpan& span : run.spans) {
    span.begin_ns = from.number<int64_t>();
    span.end_ns = from.number<int64_t>();
    span.worker = from.number<int32_t>();
    Reader::check(span.begin_ns <= span.end_ns, "an op ends before it begins");
    Reader::check(0 <= span.worker && span.worker < timeline.workers, "an op has no worker");
  }
  return run;
}

}  // namespace

std::string to_bytes(const RankTimeline& timeline) {
  Writer to;
  to.number(kMark);
  to.number(timeline.rank);
  to.text(timeline.name);
  to.number(timeline.workers);
  to.size(timeline.programs.size());
  for (const TracedProgram& program : timeline.programs) write(program, to);
  to.size(timeline.runs.size());
  for (const TracedRun& run : timeline.runs) write(run, to);
  return to.take();
}

RankTimeline timeline_from_bytes(std::string_view bytes) {
  Reader from(bytes);
  Reader::check(from.number<uint32_t>() == kMark, "it has another form");
  RankTimeline timeline;
  timeline.rank = from.number<int>();
  timeline.name = from.text();
  timeline.workers = from.number<int>();
  const size_t programs = from.size(sizeof(uint64_t));
  for (size_t i = 0; i < programs; ++i) timeline.programs.push_back(read_program(from));
  const size_t runs = from.size(sizeof(uint64_t));
  for (size_t i = 0; i < runs; ++i) timeline.runs.push_back(read_run(from, timeline));
  from.finish();
  return timeline;
}

}  // namespace weft
