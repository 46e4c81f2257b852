// The inputs of `weft report`: run directories and traces.
#pragma once

#include <string>
#include <vector>

#include "report/report.h"

namespace weft {

// Reads all inputs. paths: run directories, and traces without a run. traces: those of the runs, in
// the same order; if empty, the traces in the run directories. Throws Error (kInput) for a path
// that is neither, a file that is wrong, or more traces than runs.
Report read_report_inputs(const std::vector<std::string>& paths,
                          const std::vector<std::string>& traces);

}  // namespace weft
