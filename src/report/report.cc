#include "report/report.h"

#include <fmt/format.h>

#include <map>
#include <string_view>

#include "base/error.h"
#include "report/report_assets.h"
#include "report/report_data.h"

namespace weft {
namespace {

using Fields = std::map<std::string_view, std::string>;

// Replaces each {{name}} of the template by the field of that name. Braces in fields are kept.
std::string filled(std::string_view text, const Fields& fields) {
  std::string page;
  for (size_t open = text.find("{{"); open != text.npos; open = text.find("{{")) {
    const size_t close = text.find("}}", open);
    require(close != text.npos, "the page's template closes its fields");
    const auto field = fields.find(text.substr(open + 2, close - open - 2));
    require(field != fields.end(), "the page's template names known fields");
    page += text.substr(0, open);
    page += field->second;
    text.remove_prefix(close + 2);
  }
  return page.append(text);
}

// Forbids the page to load anything, and allows these scripts and styles only.
std::string content_policy(const ReportAssets& assets) {
  return fmt::format(
      "default-src 'none'; script-src 'sha256-{}' 'sha256-{}'; style-src 'sha256-{}' 'sha256-{}'; "
      "img-src data:; base-uri 'none'; form-action 'none'",
      assets.chart_script.sha256, assets.script.sha256, assets.chart_style.sha256,
      assets.style.sha256);
}

std::string title_of(const Report& report) {
  std::string title = "weft";
  const char* separator = ": ";
  for (const ReportRun& run : report.runs) {
    title += separator + run.name;
    separator = ", ";
  }
  return title;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string report_page(const Report& report) {
  const ReportAssets& assets = report_assets();
  return filled(assets.page.text, {{"policy", content_policy(assets)},
                                   {"title", escape_html(title_of(report))},
                                   {"chart_style", std::string(assets.chart_style.text)},
                                   {"style", std::string(assets.style.text)},
                                   {"chart_licence", escape_html(assets.chart_licence.text)},
                                   {"data", report_json(report)},
                                   {"chart_script", std::string(assets.chart_script.text)},
                                   {"script", std::string(assets.script.text)}});
}

}  // namespace weft
