// Writes the JSON of a report's page.
#pragma once

#include <string>

#include "report/report.h"

namespace weft {

// Bounds the size of a page.
struct ReportLimits {
  size_t rows = 400'000;          // steps of all runs together
  size_t slices = 200'000;        // of all traces together
  size_t parts = 300;             // kinds of ops, and likewise layers, of a trace
  size_t samples = 200;           // of a run
  size_t sample_bytes = 20'000;   // of a sample
  size_t config_bytes = 100'000;  // of a run
};

// One line without '<', so that no text in it can end the script element around it or begin a
// comment. Bytes that are not UTF-8 are replaced. Notes in it say what the limits leave out.
std::string report_json(const Report& report, const ReportLimits& limits = {});

}  // namespace weft
