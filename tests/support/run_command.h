// Command: runs a program like a user or a script does.
#pragma once

#include <signal.h>

#include <string>
#include <string_view>
#include <vector>

namespace weft {

struct CommandResult {
  int status = -1;  // the exit status, or 128 + the signal that ended it
  std::string out, err;
};

// A process whose output is collected. The destructor kills it if it is still running.
class Command {
 public:
  enum class Stderr { kPipe, kTerminal };

  // arguments[0] is the program. A terminal is 80 columns wide.
  explicit Command(const std::vector<std::string>& arguments, Stderr kind = Stderr::kPipe);
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  // Reads until the text has appeared on standard error. Returns false if the process ends first.
  bool wait_for_stderr(std::string_view text);

  void send(int signal) const { kill(pid_, signal); }

  // Reads to the end and waits for the process.
  CommandResult finish();

 private:
  bool read_some();  // returns false once both outputs are closed

  int pid_ = -1;
  int out_fd_ = -1, err_fd_ = -1;
  CommandResult result_;
};

inline CommandResult run_command(const std::vector<std::string>& arguments) {
  return Command(arguments).finish();
}

}  // namespace weft
