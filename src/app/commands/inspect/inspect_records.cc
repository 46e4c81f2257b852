#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "app/cli/format.h"
#include "app/commands/inspect/inspectors.h"
#include "app/commands/train/train_options.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Counts the lines of a metrics file.
struct MetricsCount {
  std::map<std::string, int64_t> lines;  // by kind
  std::map<std::string, double> losses;  // the last one, by kind
  int64_t last_step = 0;

  void add(const json& record, const std::string& source) {
    if (!record.is_object() || !record.contains("kind") || !record["kind"].is_string()) {
      throw input_error(kInspect, source + " is not a record with a kind");
    }
    const auto kind = record["kind"].get<std::string>();
    ++lines[kind];
    const auto loss = record.find("loss"), step = record.find("step");
    if (loss != record.end() && loss->is_number()) losses[kind] = loss->get<double>();
    if (step != record.end() && step->is_number_integer()) last_step = step->get<int64_t>();
  }
};

Fact lines_by_kind(const MetricsCount& count) {
  nlohmann::ordered_json lines = nlohmann::ordered_json::object();
  Fact fact{"lines", "", ""};
  for (const auto& [kind, n] : count.lines) {
    lines[kind] = n;
    if (!fact.text.empty()) fact.text += ", ";
    fact.text += format_count(n) + " " + (kind.size() < 20 ? kind : printable(kind));
  }
  fact.json = json_text(lines);
  return fact;
}

}  // namespace

Inspection inspect_metrics(const fs::path& path) {
  const std::string text = read_file(path);
  Inspection found{.kind = "metrics of a run (JSON lines)"};
  MetricsCount count;
  const auto torn = for_each_json_line(text, kInspect, path.string(),
                                       [&](const json& record, std::string_view,
                                           const std::string& place) { count.add(record, place); });
  if (torn) {
    found.flaw = fmt::format("{} breaks off after {} bytes: the run was killed or still writes",
                             torn->place, torn->bytes);
  }
  if (count.lines.empty()) throw input_error(kInspect, path.string() + " has no lines");
  found.facts.push_back(lines_by_kind(count));
  found.add_count("last step", count.last_step);
  if (count.losses.contains("train")) add_loss("last loss", count.losses["train"], found);
  if (count.losses.contains("val")) add_loss("last validation loss", count.losses["val"], found);
  return found;
}

Inspection inspect_config(const fs::path& path) {
  TrainOptions options;
  try {
    parse_train_options({"--config", path.string()}, options);
  } catch (const Error& error) {
    throw input_error(kInspect, fmt::format("{}: {}", path.string(), error.message()),
                      error.hint());
  }
  Inspection found{.kind = "configuration of weft train"};
  found.add("model", options.model.empty() ? "of --init, or d12" : options.model);
  found.add("out", options.out);
  found.add("exec", options.executor.name);
  return found;
}

}  // namespace weft
