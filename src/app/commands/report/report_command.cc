// `weft report`: shows runs and traces as one HTML page.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "app/cli/format.h"
#include "app/cli/output_file.h"
#include "app/cli/terminal.h"
#include "app/command_table.h"
#include "app/commands/report/report_inputs.h"
#include "base/error.h"
#include "base/file_writer.h"
#include "base/paths.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

struct ReportOptions {
  std::vector<std::string> paths, traces;
  std::string out;  // "": beside the first input
};

bool parse(const Arguments& arguments, ReportOptions& o) {
  Options flags("report",
                "Writes one HTML page that needs no network: curves of one or several runs, their "
                "samples, the timeline of traced steps and what the time goes to, configuration "
                "and machine. Traces (.json, .json.gz) that lie in a run directory are shown, "
                "too.");
  const Flag paths = flags.texts("PATH", o.paths, "", "Run directories, or traces without a run");
  flags.texts("--trace", o.traces, "FILE", "Traces of the runs (.json, .json.gz), in their order");
  flags.text("--out", o.out, "FILE.html",
             "Where to; report.html in the first run directory, or beside a trace TRACE.html");
  if (!flags.parse(arguments)) return false;
  flags.require(paths, "name a run directory or a trace");
  return true;
}

std::string output_path(const ReportOptions& o) {
  if (!o.out.empty()) return o.out;
  fs::path first = o.paths.front();
  if (directory_exists(first)) return (first / "report.html").string();
  if (first.extension() == ".gz") first.replace_extension();
  return first.replace_extension(".html").string();
}

// Refuses to replace an input by the page.
void require_no_input(const std::string& out, const ReportOptions& o) {
  for (const std::vector<std::string>* inputs : {&o.paths, &o.traces}) {
    for (const std::string& input : *inputs) {
      std::error_code differ;
      if (fs::equivalent(out, input, differ)) {
        throw input_error("report", fmt::format("--out: {} is what the page is made from", out),
                          "name another file");
      }
    }
  }
}

}  // namespace

int report_command(const Arguments& arguments) {
  ReportOptions options;
  if (!parse(arguments, options)) return 0;
  const std::string out = output_path(options);
  require_replaceable(out, "--out");
  require_no_input(out, options);

  const std::string page = report_page(read_report_inputs(options.paths, options.traces));
  AtomicFile file(out);
  file.append(page);
  file.finish();
  Terminal().line(
      fmt::format("{} that any browser opens, without a network", format_bytes(page.size())));
  std::puts(out.c_str());
  return 0;
}

}  // namespace weft
