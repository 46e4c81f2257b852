// Report: what is known of some runs, and the page that shows it: one HTML file that needs no other
// file and no network.
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
  std::string name;  // "fork-join": how the page calls it
  std::string path;
  RunLog log;
  std::string config_toml;  // empty if the run has none
};

// What the threads spent a part of their time on. Seconds are of all threads together.
struct TimePart {
  std::string label;  // an op kind, or a layer
  int64_t ops = 0;
  std::vector<std::pair<std::string, double>> seconds_by_phase = {};
  double flops = 0.;      // that are known; 0 if none are
  double counted_s = 0.;  // in the ops whose FLOPs are known
};

struct ReportTrace {
  std::string name;
  int run = -1;  // the index of the run that it is of, or -1
  TraceFile file;
  Activity activity;        // of the workers, within the runs of programs
  int64_t steps = 0;        // that are in it
  double thread_peak = 0.;  // FLOP/s of one thread, in the precision of the run; 0 if unknown
  std::vector<TimePart> kinds, layers;
};

struct Report {
  std::vector<ReportRun> runs;
  std::vector<ReportTrace> traces;
  std::vector<std::string> notes;  // a sentence each
  std::string version;             // of weft
};

// The page. Its size is bounded: of long runs and traces it holds a part, and says so.
std::string report_page(const Report& report);

// The text with everything that HTML gives a meaning to replaced.
std::string escape_html(std::string_view text);

}  // namespace weft
