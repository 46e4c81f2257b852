// Trace: which worker ran which op when, as a timeline for Perfetto.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "program/observer.h"
#include "program/program.h"

namespace weft {

// Records runs of programs and writes them as Chrome trace JSON, which https://ui.perfetto.dev and
// chrome://tracing open. An op is one slice on its worker's track, named as in the program, with
// its phase and step; a run is one slice on a track of its own.
class Trace {
 public:
  Trace();
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  // The observer of the next run of `program`, as part of a step that counts from 1. It serves one
  // run and lives as long as the trace. Each op has a place of its own in it, so workers neither
  // wait for each other nor allocate.
  // REQUIRES: no other run is being observed; no program takes the address of an earlier one.
  Observer* begin_run(int64_t step, const Program& program);

  bool empty() const { return runs_.empty(); }

  // When the first op started, on this machine's steady clock.
  int64_t begin_ns() const;

  // As lines of the file: of rank `rank`, called `name`, in time after the origin.
  // REQUIRES: no run is being observed.
  std::string events(int rank, const std::string& name, int64_t origin_ns) const;

  // A file of one rank. Throws Error (kFailure) if it cannot be written.
  // REQUIRES: no run is being observed.
  void write(const std::filesystem::path& path) const;

 private:
  struct Labels;
  class Run;

  const Labels& labels_of(const Program& program);

  // Copied from a program when it first runs: the trace may outlive it.
  std::map<const Program*, std::unique_ptr<const Labels>> labels_;
  std::vector<std::unique_ptr<Run>> runs_;
};

// A file of the events of several ranks, whose times have one origin. Throws Error (kFailure) if it
// cannot be written.
void write_trace(const std::filesystem::path& path, const std::vector<std::string>& events);

}  // namespace weft
