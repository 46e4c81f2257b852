// Report: the logs and traces of some runs, and the page that shows them: one HTML file that needs
// no other file and no network.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runlog/run_log.h"
#include "timeline/activity.h"
#include "timeline/trace_file.h"

namespace weft {

struct ReportRun {
  std::string name;  // on the page: "fork-join"
  std::string path;
  RunLog log;
  std::string config_toml;  // empty if the run has none
};

// The time that threads spent on some ops, summed over all threads.
struct TimePart {
  std::string label;  // a kind of op, or a layer
  int64_t ops = 0;
  std::vector<std::pair<std::string, double>> seconds_by_phase = {};
  double flops = 0.;      // of the ops that have FLOPs
  double counted_s = 0.;  // seconds of those ops
};

struct ReportTrace {
  std::string name;
  int run = -1;  // the index of its run in Report::runs, or -1
  TraceFile file;
  Activity activity;        // of the workers, within the runs of programs
  int64_t steps = 0;        // in the file
  double thread_peak = 0.;  // FLOP/s of one thread, in the precision of the run; 0 if unknown
  std::vector<TimePart> kinds, layers;
};

struct Report {
  std::vector<ReportRun> runs;
  std::vector<ReportTrace> traces;
  std::vector<std::string> notes;  // one sentence each
  std::string version;             // of weft
};

// The HTML page. Its size is bounded: of long runs and traces it has only a part, and notes that.
std::string report_page(const Report& report);

// Replaces the characters that have a meaning in HTML.
std::string escape_html(std::string_view text);

}  // namespace weft
