// Inspects timelines for Paraver: a header, then records in the order of time, one a line.
#include <fmt/format.h>

#include <charconv>
#include <set>
#include <string_view>
#include <vector>

#include "app/commands/inspect/inspectors.h"
#include "base/error.h"
#include "base/files.h"
#include "base/paths.h"
#include "timeline/paraver_trace.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostThreads = 1 << 20;  // of a task

// The reason why a line is wrong.
struct Flaw {
  std::string text;
};

// Reads fields from the front of a text.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool skips(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  void skip(std::string_view text) {
    if (!skips(text)) throw Flaw{fmt::format("'{}' is missing", text)};
  }
  void skip_behind(char c) {
    const size_t found = rest_.find(c);
    if (found == rest_.npos) throw Flaw{fmt::format("'{}' is missing", c)};
    rest_.remove_prefix(found + 1);
  }
  uint64_t number() {
    uint64_t n = 0;
    const char* end = rest_.data() + rest_.size();
    const auto [stop, error] = std::from_chars(rest_.data(), end, n);
    if (error != std::errc()) throw Flaw{"a number is missing, or too large"};
    rest_.remove_prefix(static_cast<size_t>(stop - rest_.data()));
    return n;
  }

 private:
  std::string_view rest_;
};

class ParaverReader {
 public:
  // Throws Flaw.
  void line(std::string_view line, int64_t number) {
    if (number == 1) {
      read_header(line);
    } else if (line.starts_with("c:") || line.starts_with("i:") || line.starts_with('#')) {
      return;  // communicators, comments
    } else {
      read_record(line);
    }
  }

  uint64_t length_ns = 0, last_ns = 0;
  std::vector<uint64_t> threads;  // by task
  std::set<uint64_t> steps;
  int64_t ops = 0, records = 0;
  int64_t open_steps = 0;  // that began on a thread and have not ended

 private:
  // #Paraver (day at time):length:nodes:applications:tasks(threads:node,..)[,communicators]
  void read_header(std::string_view line) {
    Fields fields(line);
    fields.skip("#Paraver (");
    fields.skip_behind(')');
    fields.skip(":");
    length_ns = fields.number();
    fields.skip("_ns:");
    if (fields.number() != 0) fields.skip_behind(')');
    fields.skip(":");
    if (fields.number() != 1) throw Flaw{"there is more than one application, or none"};
    fields.skip(":");
    const uint64_t tasks = fields.number();
    fields.skip("(");
    for (uint64_t task = 0; task < tasks; ++task) {
      if (task > 0) fields.skip(",");
      threads.push_back(fields.number());
      if (threads.back() > kMostThreads) throw Flaw{"a task has too many threads"};
      fields.skip(":");
      fields.number();  // its node
    }
    fields.skip(")");
    if (fields.skips(",")) fields.number();
    if (!fields.at_end()) throw Flaw{"something follows the list of tasks"};
  }

  void read_record(std::string_view line) {
    Fields fields(line);
    const uint64_t kind = fields.number();
    if (kind < 1 || kind > 3) throw Flaw{"it is no state, event or message"};
    read_place(fields);
    const uint64_t at_ns = time(fields);
    if (at_ns < last_ns) throw Flaw{"it is earlier than the line before"};
    last_ns = at_ns;
    if (kind == 1) read_state(fields, at_ns);
    if (kind == 2) read_events(fields);
    if (kind == 3) read_message(fields);
    if (!fields.at_end()) throw Flaw{"something follows the record"};
    ++records;
  }

  // :cpu:application:task:thread
  void read_place(Fields& fields) const {
    fields.skip(":");
    fields.number();
    fields.skip(":");
    if (fields.number() != 1) throw Flaw{"the application is not 1"};
    fields.skip(":");
    const uint64_t task = fields.number();
    if (task < 1 || task > threads.size()) throw Flaw{"there is no such task"};
    fields.skip(":");
    const uint64_t thread = fields.number();
    if (thread < 1 || thread > threads[task - 1]) throw Flaw{"there is no such thread"};
  }

  uint64_t time(Fields& fields) const {
    fields.skip(":");
    const uint64_t ns = fields.number();
    if (ns > length_ns) throw Flaw{"it is later than the end of the trace"};
    return ns;
  }

  void read_state(Fields& fields, uint64_t begin_ns) const {
    if (time(fields) < begin_ns) throw Flaw{"a state ends before it begins"};
    fields.skip(":");
    fields.number();
  }

  void read_events(Fields& fields) {
    do {
      fields.skip(":");
      const uint64_t type = fields.number();
      fields.skip(":");
      const uint64_t value = fields.number();
      const auto is = [&](ParaverEvent event) { return type == static_cast<uint64_t>(event); };
      if (value != 0 && (is(ParaverEvent::kKind) || is(ParaverEvent::kTransfer))) ++ops;
      if (is(ParaverEvent::kStep)) {
        open_steps += value != 0 ? 1 : -1;
        if (value != 0) steps.insert(value);
      }
    } while (!fields.at_end());
  }

  // Reads the rest of a message after its sender and the begin of sending.
  void read_message(Fields& fields) const {
    time(fields);
    read_place(fields);
    time(fields);
    time(fields);
    for (int i = 0; i < 2; ++i) {  // size and tag
      fields.skip(":");
      fields.number();
    }
  }
};

Error broken(const fs::path& path, const std::string& what) {
  return input_error(kInspect, fmt::format("{}: {}", path.string(), what), "record it again");
}

ParaverReader read(const fs::path& path) {
  const MappedFile file(path);
  std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  ParaverReader reader;
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    if (end == text.npos) throw broken(path, fmt::format("line {} breaks off", number));
    try {
      reader.line(text.substr(0, end), number);
    } catch (const Flaw& flaw) {
      throw broken(path, fmt::format("line {}: {}", number, flaw.text));
    }
    text.remove_prefix(end + 1);
  }
  // The last records end the step of each thread where the last op ends.
  if (reader.last_ns != reader.length_ns || reader.open_steps != 0) {
    throw broken(path,
                 fmt::format("it breaks off at {} of {} ns", reader.last_ns, reader.length_ns));
  }
  return reader;
}

}  // namespace

Inspection inspect_paraver(const fs::path& path) {
  const ParaverReader trace = read(path);
  Inspection found{.kind = "trace (Paraver)"};
  uint64_t threads = 0;
  for (const uint64_t of_task : trace.threads) threads += of_task;
  found.add_count("ranks", std::ssize(trace.threads));
  found.add_count("threads", static_cast<int64_t>(threads));
  found.add_count("steps", std::ssize(trace.steps));
  found.add_count("ops", trace.ops);
  found.add_count("records", trace.records);
  add_seconds(1e-9 * static_cast<double>(trace.length_ns), found);
  add_size(path, found);
  for (const char* extension : {".pcf", ".row"}) {
    const fs::path beside = fs::path(path).replace_extension(extension);
    if (!file_exists(beside)) {
      found.notes.push_back(fmt::format("{} is not there: Paraver shows numbers where it has names",
                                        beside.string()));
    }
  }
  return found;
}

}  // namespace weft
