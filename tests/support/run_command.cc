#include "support/run_command.h"

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

namespace weft {
namespace {

struct Channel {
  int parent = -1, child = -1;
};

Channel open_pipe() {
  std::array<int, 2> ends;
  if (pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
  return {ends[0], ends[1]};
}

Channel open_terminal() {
  Channel channel;
  winsize size = {};
  size.ws_row = 24;
  size.ws_col = 80;
  if (openpty(&channel.parent, &channel.child, nullptr, nullptr, &size) != 0) {
    throw std::runtime_error("no pseudo terminal");
  }
  return channel;
}

[[noreturn]] void become(const std::vector<std::string>& arguments, int out, int err) {
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  for (int fd = STDERR_FILENO + 1; fd < 256; ++fd) close(fd);
  setenv("TERM", "xterm", 1);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  _exit(127);
}

// Appends the available bytes. Returns false if the other end is closed, which read() reports as an
// error if it is a terminal.
bool append_from(int fd, std::string& text) {
  std::array<char, 4096> buffer;
  const ssize_t n = read(fd, buffer.data(), buffer.size());
  if (n <= 0) return false;
  text.append(buffer.data(), static_cast<size_t>(n));
  return true;
}

void close_once(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

}  // namespace

Command::Command(const std::vector<std::string>& arguments, Stderr kind) {
  const Channel out = open_pipe();
  const Channel err = kind == Stderr::kPipe ? open_pipe() : open_terminal();
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("no process");
  if (pid_ == 0) become(arguments, out.child, err.child);
  close(out.child);
  close(err.child);
  out_fd_ = out.parent;
  err_fd_ = err.parent;
}

Command::~Command() {
  if (pid_ >= 0) {
    send(SIGKILL);
    finish();
  }
}

bool Command::read_some() {
  if (out_fd_ < 0 && err_fd_ < 0) return false;
  std::array<pollfd, 2> fds = {{{out_fd_, POLLIN, 0}, {err_fd_, POLLIN, 0}}};
  poll(fds.data(), fds.size(), -1);  // ignores closed descriptors, which are negative
  if (fds[0].revents != 0 && !append_from(out_fd_, result_.out)) close_once(out_fd_);
  if (fds[1].revents != 0 && !append_from(err_fd_, result_.err)) close_once(err_fd_);
  return true;
}

bool Command::wait_for_stderr(std::string_view text) {
  while (result_.err.find(text) == std::string::npos) {
    if (err_fd_ < 0 || !read_some()) return false;
  }
  return true;
}

CommandResult Command::finish() {
  while (read_some()) {
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  result_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result_;
}

}  // namespace weft
