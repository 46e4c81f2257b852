#include "app/cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace weft {
namespace {

constexpr const char* kClearLine = "\r\x1b[K";
constexpr int kUsualWidth = 80;

bool stderr_moves_cursors() {
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  return isatty(STDERR_FILENO) != 0 && !dumb;
}

// Failures are ignored: a run goes on when the reader of its progress is gone.
void write_stderr(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

Terminal::Terminal() : is_live_(stderr_moves_cursors()) {}

int Terminal::width() const {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualWidth;
  return size.ws_col;
}

void Terminal::line(std::string_view text) {
  clear();
  write_stderr(fmt::format("{}\n", text));
}

void Terminal::live(std::string_view text) {
  if (!is_live_) return;
  // The last column stays free, because writing there makes some terminals go to the next line.
  const auto room = static_cast<size_t>(std::max(width() - 1, 0));
  write_stderr(fmt::format("{}{}", kClearLine, text.substr(0, room)));
  shown_ = true;
}

void Terminal::clear() {
  if (shown_) write_stderr(kClearLine);
  shown_ = false;
}

std::string single_line(std::string_view text) {
  std::string line(text);
  std::ranges::replace_if(
      line, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return line;
}

}  // namespace weft
