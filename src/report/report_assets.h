// The fixed parts of a report's page, embedded into the program when it is built
// (cmake/EmbedReportAssets.cmake).
#pragma once

#include <string_view>

namespace weft {

struct ReportAsset {
  std::string_view text;
  std::string_view sha256;  // in base64, as a content security policy needs it
};

struct ReportAssets {
  ReportAsset page;                       // src/report/page/page.html
  ReportAsset style, script;              // all .css and all .js files of that folder
  ReportAsset chart_style, chart_script;  // dygraphs
  ReportAsset chart_licence;
};

const ReportAssets& report_assets();

}  // namespace weft
