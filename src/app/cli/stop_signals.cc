#include "app/cli/stop_signals.h"

#include <unistd.h>

#include <string_view>

namespace weft {
namespace {

// These are globals because a signal handler has no argument through which to find its owner.
std::atomic<int> stop_signal{0};
std::atomic<const char*> stop_notice{""};
static_assert(std::atomic<int>::is_always_lock_free &&
                  std::atomic<const char*>::is_always_lock_free,
              "or a handler could not use them");

void write_stderr(std::string_view text) {
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, text.data(), text.size());
}

void tell_user() {
  const char* notice = stop_notice.load();
  if (*notice == '\0') return;
  write_stderr("\nweft: ");
  write_stderr(notice);
  write_stderr("\n");
}

void note_signal(int signal) {
  if (stop_signal.exchange(signal) != 0) _exit(128 + signal);
  tell_user();
}

void note_announcement(int) {
  int none = 0;
  if (stop_signal.compare_exchange_strong(none, SIGTERM)) tell_user();
}

struct sigaction handled_by(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;  // reads and writes in progress go on
  sigemptyset(&action.sa_mask);
  return action;
}

}  // namespace

StopSignals::StopSignals(const char* notice) {
  stop_notice = notice;
  stop_signal = 0;
  const struct sigaction note = handled_by(note_signal);
  const struct sigaction announcement = handled_by(note_announcement);
  const struct sigaction ignore = handled_by(SIG_IGN);
  sigaction(SIGTERM, &note, &old_term_);
  sigaction(SIGINT, &note, &old_int_);
  sigaction(SIGUSR1, &announcement, &old_usr1_);
  sigaction(SIGPIPE, &ignore, &old_pipe_);
}

StopSignals::~StopSignals() {
  sigaction(SIGTERM, &old_term_, nullptr);
  sigaction(SIGINT, &old_int_, nullptr);
  sigaction(SIGUSR1, &old_usr1_, nullptr);
  sigaction(SIGPIPE, &old_pipe_, nullptr);
}

const std::atomic<int>& StopSignals::requested() const { return stop_signal; }

void StopSignals::check() const {
  if (const int signal = stop_signal.load()) throw Stopped{signal};
}

}  // namespace weft
