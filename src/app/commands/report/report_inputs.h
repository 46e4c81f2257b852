// What `weft report` reads: run directories and traces.
#pragma once

#include <string>
#include <vector>

#include "report/report.h"

namespace weft {

// paths: run directories, and traces of no run. traces: of the runs, in their order; empty for
// those that lie in the run directories. Reads all of it. Throws Error (kInput): a path that is
// neither, a file that is wrong, more traces than runs.
Report read_report_inputs(const std::vector<std::string>& paths,
                          const std::vector<std::string>& traces);

}  // namespace weft
