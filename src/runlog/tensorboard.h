// EventLog: writes the log of a run as an event file, which TensorBoard shows while the run goes.
//
// Its events are made from the records of metrics.jsonl, so that the two cannot differ.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "runlog/retrying_file.h"

namespace weft {

// The event of a record of metrics.jsonl, framed for a file. wall_time: seconds since 1970. A
// number becomes the scalar "<kind>/<field>", as float32, the only type of TensorBoard's scalars. A
// text becomes the text "<kind>/<field>", as Markdown that shows it verbatim. The record of a run
// becomes the text "run/description" at the step before its first. REQUIRES: the record has a kind
// and a step, or the kind "run" and a first_step.
std::string event_of(const nlohmann::ordered_json& record, double wall_time);

// Each event reaches the file in one write, so a run that is killed leaves whole records. Events
// that the disk refuses are kept and tried again (retrying_file.h). Call begin first. Not
// thread-safe.
class EventLog {
 public:
  // Creates a file in `directory` whose name sorts after those of the event files there, because
  // TensorBoard reads them in that order. Throws Error (kFailure).
  explicit EventLog(const std::filesystem::path& directory, FileSystem& files = disk());

  // Declares void what earlier files have about `first_step` and later steps, which a resumed run
  // does again, and writes the configuration as the text "run/config". Returns the message of the
  // error that kept events from being written; empty if all of them are.
  std::string begin(int64_t first_step, std::string_view config_toml);

  // Returns the same as begin.
  std::string write(const nlohmann::ordered_json& record);

  // Makes all events survive a power loss. Throws Error (kFailure), also if one is still unwritten.
  void sync() { file_.sync(); }

 private:
  RetryingFile file_;
};

}  // namespace weft
