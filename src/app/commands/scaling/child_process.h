// ChildProcess: a program that is run for what it prints.
#pragma once

#include <string>
#include <vector>

namespace weft {

struct ChildResult {
  int status = 0;  // the exit status, or 128 + the signal that ended it
  std::string out, err;
};

// Runs arguments[0], which is looked for in PATH unless it has a slash, and waits for its end. Its
// standard input is empty. `environment` is "NAME=value" that it gets where this process has no
// such variable. It is told to end when this process ends.
// REQUIRES: this process has one thread. Throws Error (kFailure) if it cannot be started.
ChildResult run_child(const std::vector<std::string>& arguments,
                      const std::vector<std::string>& environment = {});

// The program that PATH has under this name, or the name itself if it has a slash and can be run;
// else "".
std::string find_program(const std::string& name);

// The file of the program that is running.
std::string this_program();

}  // namespace weft
