// Terminal: progress on standard error, as lines and, on a real terminal, one live line.
#pragma once

#include <string>
#include <string_view>

namespace weft {

// Not thread-safe. The destructor removes the live line.
class Terminal {
 public:
  Terminal();
  ~Terminal() { clear(); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // False if standard error is a pipe or a file; live() shows nothing then.
  bool is_live() const { return is_live_; }

  // Returns the current number of columns; it changes when a window is resized.
  int width() const;

  // Prints a line that stays, above the live line.
  void line(std::string_view text);

  // Replaces the live line by the text, cut to the width.
  void live(std::string_view text);

 private:
  void clear();

  bool is_live_;
  bool shown_ = false;
};

// Returns the text with '?' in place of every character that could move the cursor or break the
// line.
std::string single_line(std::string_view text);

}  // namespace weft
