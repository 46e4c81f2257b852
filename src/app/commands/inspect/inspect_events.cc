// Inspects event files of TensorBoard, those of weft and of other programs.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "app/cli/format.h"
#include "app/commands/inspect/inspectors.h"
#include "base/json.h"
#include "base/paths.h"
#include "runlog/event_fields.h"
#include "runlog/event_file.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLoss = "train/loss";
constexpr const char* kValLoss = "val/loss";

// The contents of an event file.
struct EventCount {
  int64_t sessions = 0;
  std::optional<int64_t> first_step, last_step;  // of values but texts
  std::map<std::string, float> scalars;          // the last value of each tag
  std::set<std::string> texts, others;           // tags

  void add(const Event& event) {
    sessions += event.starts_session ? 1 : 0;
    for (const EventValue& value : event.values) add(value, event.step);
  }

 private:
  void add(const EventValue& value, int64_t step) {
    const std::string tag(value.tag);
    if (value.is_text) {
      texts.insert(tag);
      return;
    }
    if (value.number) {
      scalars[tag] = *value.number;
    } else {
      others.insert(tag);
    }
    first_step = std::min(first_step.value_or(step), step);
    last_step = std::max(last_step.value_or(step), step);
  }
};

// The text for people shows few tags, and escapes them.
void add_tags(const std::string& name, const std::set<std::string>& tags, Inspection& found) {
  constexpr size_t kShown = 20;
  if (tags.empty()) return;
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  Fact fact{name, "", ""};
  for (const std::string& tag : tags) {
    all.push_back(tag);
    if (all.size() > kShown) continue;
    const std::string quoted = printable(tag);
    fact.text += (fact.text.empty() ? "" : ", ") + quoted.substr(1, quoted.size() - 2);
  }
  if (tags.size() > kShown) fact.text += fmt::format(" and {} more", tags.size() - kShown);
  fact.json = json_text(all);
  found.facts.push_back(std::move(fact));
}

void add_last(const std::string& name, const char* tag, const EventCount& count,
              Inspection& found) {
  const auto scalar = count.scalars.find(tag);
  if (scalar != count.scalars.end()) add_loss(name, double{scalar->second}, found);
}

std::set<std::string> names_of(const std::map<std::string, float>& scalars) {
  std::set<std::string> names;
  for (const auto& [tag, last] : scalars) names.insert(tag);
  return names;
}

}  // namespace

Inspection inspect_events(const fs::path& path) {
  EventFileReader reader(path);
  EventCount count;
  while (const std::optional<Event> event = reader.next()) count.add(*event);
  Inspection found{.kind = "TensorBoard events"};
  found.flaw = reader.torn();
  found.add_count("records", reader.records());
  found.add_count("sessions", count.sessions);
  add_tags("scalars", names_of(count.scalars), found);
  add_tags("texts", count.texts, found);
  add_tags("other tags", count.others, found);
  if (count.last_step) {
    found.add_count("first step", *count.first_step);
    found.add_count("last step", *count.last_step);
  }
  add_last("last loss", kLoss, count, found);
  add_last("last validation loss", kValLoss, count, found);
  add_size(path, found);
  return found;
}

void inspect_events_of_run(const fs::path& run, Inspection& found) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(run)) {
    const bool is_named_so = entry.path().filename().string().starts_with(kEventFilePrefix);
    if (is_named_so && file_exists(entry.path())) files.push_back(entry.path());
  }
  if (files.empty()) return;
  std::ranges::sort(files);
  found.add_count("event files", std::ssize(files));
  for (const fs::path& file : files) {
    // A run that was killed leaves such a file, and so does one that is still writing.
    const std::string torn = inspect_events(file).flaw;
    if (!torn.empty()) found.notes.push_back(torn);
  }
}

}  // namespace weft
