#include "app/commands/scaling/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "base/error.h"
#include "base/system_calls.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr int kCannotStart = 127;  // the status with which shells report it

struct PipeEnds {
  int read_end, write_end;
};

// Both ends are closed on exec.
PipeEnds open_pipe() {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw failure("process", fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  }
  return {ends[0], ends[1]};
}

// Returns a null-terminated list, as exec takes it. REQUIRES: the texts outlive the result.
std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> this_environment_and(const std::vector<std::string>& more) {
  std::vector<std::string> all(more);
  std::erase_if(all, [](const std::string& variable) {
    return std::getenv(variable.substr(0, variable.find('=')).c_str()) != nullptr;
  });
  for (char** variable = environ; *variable != nullptr; ++variable) all.emplace_back(*variable);
  return all;
}

// Returns false when the other end is closed.
bool append_from(int fd, std::string& text) {
  std::array<char, 4096> buffer;
  const ssize_t n = uninterrupted([&] { return read(fd, buffer.data(), buffer.size()); });
  if (n > 0) text.append(buffer.data(), static_cast<size_t>(n));
  return n > 0;
}

// A process whose outputs are pipes. The destructor ends it unless finish() has returned.
class Child {
 public:
  Child(const std::vector<std::string>& arguments, const std::vector<std::string>& environment)
      : Child(open_pipe(), open_pipe(), arguments, environment) {}
  ~Child() {
    if (pid_ < 0) return;
    kill(pid_, SIGTERM);
    wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  ChildResult finish() {
    ChildResult result;
    std::array<pollfd, 2> fds = {{{out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}}};
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
      uninterrupted([&] { return poll(fds.data(), fds.size(), -1); });  // skips negative ones
      if (fds[0].revents != 0 && !append_from(out_.get(), result.out)) fds[0].fd = -1;
      if (fds[1].revents != 0 && !append_from(err_.get(), result.err)) fds[1].fd = -1;
    }
    const int status = wait();
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return result;
  }

 private:
  // Allocates everything before the fork: a child must not allocate.
  Child(PipeEnds out, PipeEnds err, const std::vector<std::string>& arguments,
        const std::vector<std::string>& environment)
      : out_(out.read_end), err_(err.read_end) {
    const Descriptor in(open("/dev/null", O_RDONLY | O_CLOEXEC));
    const Descriptor out_end(out.write_end), err_end(err.write_end);
    const std::vector<char*> argv = pointers_to(arguments), envp = pointers_to(environment);
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ < 0) {
      throw failure("process",
                    fmt::format("cannot start {}: {}", arguments[0], std::strerror(errno)));
    }
    if (pid_ > 0) return;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(kCannotStart);  // the parent has ended already
    dup2(in.get(), STDIN_FILENO);
    dup2(out_end.get(), STDOUT_FILENO);
    dup2(err_end.get(), STDERR_FILENO);
    execvpe(argv[0], argv.data(), envp.data());
    _exit(kCannotStart);
  }

  int wait() {
    int status = 0;
    uninterrupted([&] { return waitpid(pid_, &status, 0); });
    pid_ = -1;
    return status;
  }

  Descriptor out_, err_;
  pid_t pid_ = -1;
};

}  // namespace

ChildResult run_child(const std::vector<std::string>& arguments,
                      const std::vector<std::string>& environment) {
  return Child(arguments, this_environment_and(environment)).finish();
}

std::string find_program(const std::string& name) {
  const auto can_run = [](const fs::path& file) {
    std::error_code unreadable;
    return fs::is_regular_file(file, unreadable) && access(file.c_str(), X_OK) == 0;
  };
  if (name.find('/') != std::string::npos) return can_run(name) ? name : "";
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (can_run(fs::path(folder) / name)) return fs::path(folder) / name;
  }
  return "";
}

std::string this_program() { return fs::read_symlink("/proc/self/exe"); }

}  // namespace weft
