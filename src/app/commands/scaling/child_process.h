// run_child: runs a program and returns its output.
#pragma once

#include <string>
#include <vector>

namespace weft {

struct ChildResult {
  int status = 0;  // the exit status, or 128 + the signal that ended it
  std::string out, err;
};

// Runs arguments[0], which is searched in PATH unless it has a slash, and waits for its end. Its
// standard input is empty. `environment` holds "NAME=value" for variables that this process does
// not have. The program gets SIGTERM when this process ends. REQUIRES: this process has one thread.
// Throws Error (kFailure) if it cannot be started.
ChildResult run_child(const std::vector<std::string>& arguments,
                      const std::vector<std::string>& environment = {});

// Returns the program's path in PATH, or the name itself if it has a slash and can be run; else "".
std::string find_program(const std::string& name);

// Returns the path of this program.
std::string this_program();

}  // namespace weft
