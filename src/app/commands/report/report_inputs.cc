#include "app/commands/report/report_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/paths.h"
#include "formats/run_layout.h"
#include "measure/machine.h"
#include "report/profile.h"
#include "timeline/timeline_file.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kWhere = "report";

std::string last_name(const fs::path& path) {
  const fs::path absolute = fs::absolute(path).lexically_normal();
  const fs::path name =
      absolute.has_filename() ? absolute.filename() : absolute.parent_path().filename();
  return name.empty() ? path.string() : name.string();
}

ReportRun read_run(const fs::path& directory) {
  const RunLayout layout{directory};
  const fs::path log = layout.metrics();
  if (!file_exists(log)) {
    throw input_error(kWhere, fmt::format("{} holds no {}", directory.string(), kMetricsFile),
                      "name a run directory, the --out of weft train");
  }
  ReportRun run;
  run.name = last_name(directory);
  run.path = directory.string();
  run.log = read_run_log(read_file(log), log.string());
  if (const fs::path config = layout.config(); file_exists(config)) {
    run.config_toml = read_file(config);
  }
  return run;
}

// Runs with the same name are shown with their paths.
void make_names_differ(std::vector<ReportRun>& runs) {
  std::multiset<std::string> names;
  for (const ReportRun& run : runs) names.insert(run.name);
  for (ReportRun& run : runs) {
    if (names.count(run.name) > 1) run.name = run.path;
  }
}

bool begins_like_a_trace(const fs::path& path) {
  if (path.extension() == ".gz") return true;
  std::ifstream file(path, std::ios::binary);
  std::string begins(4096, '\0');
  file.read(begins.data(), static_cast<std::streamsize>(begins.size()));
  begins.resize(static_cast<size_t>(file.gcount()));
  return begins.find("\"traceEvents\"") != begins.npos;
}

std::vector<fs::path> traces_in(const fs::path& directory) {
  std::vector<fs::path> found;
  std::error_code unreadable;  // its log was read
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, unreadable)) {
    const fs::path& path = entry.path();
    if (is_perfetto_path(path) && file_exists(path) && begins_like_a_trace(path)) {
      found.push_back(path);
    }
  }
  std::ranges::sort(found);
  return found;
}

int64_t count_in(const ordered_json& record, const char* name) {
  const auto found = record.find(name);
  return found != record.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
}

int64_t threads_of(const ordered_json& run) {
  constexpr int64_t kMost = 1 << 20;
  const int64_t ranks = count_in(run, "ranks"), threads = count_in(run, "threads");
  const bool sane = ranks >= 1 && ranks <= kMost && threads >= 1 && threads <= kMost;
  return sane ? ranks * threads : 0;
}

void add_trace(const fs::path& path, int run, Report& report) {
  ReportTrace trace;
  trace.name = last_name(path);
  trace.run = run;
  trace.file = read_trace_file(path);
  if (trace.file.slices.empty()) {
    throw input_error(kWhere, fmt::format("{} has no slices", path.string()),
                      "weft train --trace FILE.json records some");
  }
  if (run >= 0) {
    const ReportRun& of = report.runs[static_cast<size_t>(run)];
    trace.name = of.name + ": " + trace.name;
    const ordered_json facts = ordered_json::parse(of.log.run);
    const int64_t threads = threads_of(facts);
    const auto peak = facts.find("peak_flops");
    if (threads > 0 && peak != facts.end() && peak->is_number()) {
      trace.thread_peak = peak->get<double>() / static_cast<double>(threads);
    }
  }
  profile_trace(trace);
  trace.activity = activity(timeline_of(trace.file));
  report.traces.push_back(std::move(trace));
}

}  // namespace

Report read_report_inputs(const std::vector<std::string>& paths,
                          const std::vector<std::string>& traces) {
  Report report;
  report.version = version() + " (" + git_commit() + ")";
  std::vector<fs::path> alone;
  for (const std::string& path : paths) {
    if (directory_exists(path)) {
      report.runs.push_back(read_run(path));
    } else if (file_exists(path)) {
      alone.emplace_back(path);
    } else {
      throw input_error(kWhere, path + " is no run directory and no trace");
    }
  }
  make_names_differ(report.runs);
  if (traces.size() > report.runs.size()) {
    throw input_error(
        kWhere,
        fmt::format("--trace names {} traces of {} runs", traces.size(), report.runs.size()),
        "give one for each run directory; a trace alone needs no --trace");
  }
  for (size_t i = 0; i < traces.size(); ++i) add_trace(traces[i], static_cast<int>(i), report);
  for (size_t i = traces.empty() ? 0 : report.runs.size(); i < report.runs.size(); ++i) {
    for (const fs::path& path : traces_in(report.runs[i].path)) {
      add_trace(path, static_cast<int>(i), report);
    }
  }
  for (const fs::path& path : alone) add_trace(path, -1, report);
  return report;
}

}  // namespace weft
