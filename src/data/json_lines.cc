#include "data/json_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"

namespace weft {
namespace {

using nlohmann::json;

constexpr const char* kWhere = "data.jsonl";

// Extracts one string from an object during parsing, so that the rest of the line, which may be
// most of it, is never stored. Counts how often the field occurs at the top level.
class FieldReader : public nlohmann::json_sax<json> {
 public:
  explicit FieldReader(const std::string& field) : field_(field) {}

  bool is_object() const { return is_object_; }
  int occurrences() const { return occurrences_; }
  bool is_string() const { return is_string_; }
  std::string take() { return std::move(value_); }

  bool string(string_t& text) override {
    if (!is_field_) return true;
    is_string_ = true;
    value_ = std::move(text);
    return other_value();
  }
  bool key(string_t& name) override {
    is_field_ = depth_ == 1 && name == field_;
    if (is_field_) ++occurrences_;
    return true;
  }
  bool start_object(size_t) override {
    if (depth_ == 0) is_object_ = true;
    return open();
  }
  bool start_array(size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool null() override { return other_value(); }
  bool boolean(bool) override { return other_value(); }
  bool number_integer(number_integer_t) override { return other_value(); }
  bool number_unsigned(number_unsigned_t) override { return other_value(); }
  bool number_float(number_float_t, const string_t&) override { return other_value(); }
  bool binary(binary_t&) override { return other_value(); }
  bool parse_error(size_t, const std::string&, const json::exception&) override { return false; }

 private:
  bool open() {
    ++depth_;
    return other_value();
  }
  bool close() {
    --depth_;
    return true;
  }
  bool other_value() {
    is_field_ = false;
    return true;
  }

  const std::string& field_;
  int64_t depth_ = 0;
  bool is_object_ = false;
  bool is_field_ = false;  // the next value at this place belongs to the field
  int occurrences_ = 0;
  bool is_string_ = false;
  std::string value_;
};

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

std::string place_of(const std::string& path, int64_t line) {
  return fmt::format("{}, line {}", path, line);
}

}  // namespace

std::string json_line_field(std::string_view line, const std::string& field,
                            const std::string& place) {
  const auto error = [&](const std::string& what, std::string hint = {}) {
    return input_error(kWhere, fmt::format("{} {}", place, what), std::move(hint));
  };
  FieldReader reader(field);
  // The library would take a NUL byte for the end of the text.
  if (line.find('\0') != line.npos || !json::sax_parse(line.begin(), line.end(), &reader)) {
    throw error("is not JSON in UTF-8", "each line must be one JSON object");
  }
  if (!reader.is_object()) {
    throw error("is not a JSON object", fmt::format("each line must be {{\"{}\": ...}}", field));
  }
  if (reader.occurrences() == 0) {
    throw error(fmt::format("has no field \"{}\"", field), "name another with --field");
  }
  if (reader.occurrences() > 1) throw error(fmt::format("has the field \"{}\" twice", field));
  if (!reader.is_string()) {
    throw error(fmt::format("holds no string in \"{}\"", field), "name another with --field");
  }
  return reader.take();
}

TextBlock parse_json_lines(const JsonLinesBlock& block, const std::string& field) {
  TextBlock documents{place_of(block.path, block.first_line) + " or below", {}, {}};
  std::string_view rest = block.lines;
  for (int64_t number = block.first_line; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    if (!is_blank(line)) {
      documents.append(json_line_field(line, field, place_of(block.path, number)), true);
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return documents;
}

LineCutter::LineCutter(std::string path, size_t block_bytes, Visit visit, size_t most_line_bytes)
    : block_bytes_(block_bytes),
      most_line_bytes_(most_line_bytes),
      visit_(std::move(visit)),
      block_{std::move(path), 1, {}} {
  weft::require(block_bytes >= 1, "a block has at least one byte");
}

void LineCutter::push(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t n = std::min(bytes.size(), block_bytes_);
    push_little(bytes.substr(0, n));
    bytes.remove_prefix(n);
  }
}

void LineCutter::push_little(std::string_view bytes) {
  const size_t whole = bytes.rfind('\n') + 1;  // npos + 1 is 0
  if (whole > 0) {
    block_.lines += rest_;
    block_.lines += bytes.substr(0, whole);
    rest_.clear();
  }
  rest_ += bytes.substr(whole);
  if (block_.lines.size() >= block_bytes_ || rest_.size() >= block_bytes_) emit();
  if (rest_.size() > most_line_bytes_) {
    throw input_error(kWhere,
                      fmt::format("{} is longer than {} bytes",
                                  place_of(block_.path, block_.first_line), most_line_bytes_),
                      "put each document on a line of its own");
  }
}

void LineCutter::finish() {
  block_.lines += std::exchange(rest_, {});
  emit();
}

void LineCutter::emit() {
  if (block_.lines.empty()) return;
  const int64_t next = block_.first_line + std::ranges::count(block_.lines, '\n');
  visit_(std::exchange(block_, {block_.path, next, {}}));
}

}  // namespace weft
