#include "runlog/run_log.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"

namespace weft {
namespace {

using nlohmann::json;

constexpr const char* kWhere = "report";

// A record, with checked access to its fields.
class Record {
 public:
  Record(json fields, const std::string& source) : fields_(std::move(fields)), source_(source) {
    if (!fields_.is_object()) throw error("is not a record with a kind");
    kind_ = text("kind");
  }

  const std::string& kind() const { return kind_; }
  const json& fields() const { return fields_; }

  std::string text(const char* name) const {
    const auto found = fields_.find(name);
    if (found == fields_.end() || !found->is_string()) throw error("has no text", name);
    return found->get<std::string>();
  }

  int64_t count(const char* name) const {
    const auto found = fields_.find(name);
    const bool fits = found != fields_.end() && found->is_number_integer() &&
                      (!found->is_number_unsigned() || found->get<uint64_t>() <= kLargest);
    if (!fits || found->get<int64_t>() < 0) throw error("has no whole number from 0", name);
    return found->get<int64_t>();
  }

  // NaN if there is none.
  double number(const char* name) const {
    const auto found = fields_.find(name);
    if (found == fields_.end() || found->is_null()) return std::numeric_limits<double>::quiet_NaN();
    if (!found->is_number()) throw error("has no number", name);
    return found->get<double>();
  }

  Error error(const std::string& what, const char* name = nullptr) const {
    const std::string field = name == nullptr ? "" : fmt::format(" in \"{}\"", name);
    return input_error(kWhere, fmt::format("{} {}{}", source_, what, field));
  }

 private:
  static constexpr uint64_t kLargest = uint64_t{1} << 53;  // a page's numbers are exact up to here

  json fields_;
  const std::string& source_;
  std::string kind_;
};

// Appends to a column that is the axis of charts, so it must not fall; in logs of weft it never
// does.
template <typename Number>
void append_rising(std::vector<Number>& column, Number value, const char* name,
                   const Record& record) {
  if (!column.empty() && value < column.back()) {
    throw record.error("is less than in the lines before", name);
  }
  column.push_back(value);
}

void append_step(const Record& record, StepColumns& columns) {
  const int64_t step = record.count("step");
  if (!columns.step.empty() && step == columns.step.back()) {
    throw record.error("repeats the step", "step");
  }
  append_rising(columns.step, step, "step", record);
  append_rising(columns.tokens, record.count("tokens"), "tokens", record);
  append_rising(columns.elapsed_s, record.number("elapsed_s"), "elapsed_s", record);
  columns.loss.push_back(record.number("loss"));
  columns.lr.push_back(record.number("lr"));
  columns.grad_norm.push_back(record.number("grad_norm"));
  columns.tokens_per_s.push_back(record.number("tokens_per_s"));
  columns.mfu.push_back(record.number("mfu"));
}

void append(const Record& record, std::string_view line, RunLog& log) {
  if (record.kind() == "run") {
    log.run = line;
    ++log.parts;
  } else if (record.kind() == "train") {
    append_step(record, log.steps);
  } else if (record.kind() == "val") {
    log.validations.push_back({record.count("step"), record.number("loss")});
  } else if (record.kind() == "sample") {
    log.samples.push_back({record.count("step"), record.text("text")});
  }
}

}  // namespace

RunLog read_run_log(std::string_view text, const std::string& source) {
  RunLog log;
  const auto torn = for_each_json_line(
      text, kWhere, source, [&](json record, std::string_view line, const std::string& place) {
        append(Record(std::move(record), place), line, log);
      });
  if (torn) {
    log.note = fmt::format(
        "{} breaks off after {} bytes: the run was killed, or still writes. What stands before "
        "it is shown.",
        torn->place, torn->bytes);
  }
  return log;
}

}  // namespace weft
