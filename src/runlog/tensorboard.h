// EventLog: what happened in a run, as an event file that TensorBoard shows while the run goes.
//
// Its events are made of the records that metrics.jsonl gets, so that the two cannot differ.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "runlog/retrying_file.h"

namespace weft {

// The event of a record of metrics.jsonl, at a time in seconds since 1970, ready for a file. A
// number is the scalar "<kind>/<field>", as float32: TensorBoard's scalars have no other type. A
// text is the text "<kind>/<field>", as Markdown that shows it as it is. The record of a run is the
// text "run/description" at the step before its first.
// REQUIRES: a kind and a step, or the kind "run" and a first_step.
std::string event_of(const nlohmann::ordered_json& record, double wall_time);

// Each event reaches the file in one write, so a run that is killed leaves whole records. A disk
// that refuses one need not end a run: events wait in memory until it takes them again. Call begin,
// then the rest. Not thread-safe.
class EventLog {
 public:
  // A new file in `directory`, which TensorBoard reads behind those that are there. Throws Error
  // (kFailure).
  explicit EventLog(const std::filesystem::path& directory, FileSystem& files = disk());

  // What earlier files say of `first_step` and later steps is void: a resumed run does these again.
  // The configuration is the text "run/config". Returns what went wrong; empty when nothing waits.
  std::string begin(int64_t first_step, std::string_view config_toml);

  // Returns what went wrong; empty when no event waits.
  std::string write(const nlohmann::ordered_json& record);

  // All events survive a power loss. Throws Error (kFailure) when one still waits.
  void sync() { file_.sync(); }

 private:
  RetryingFile file_;
};

}  // namespace weft
