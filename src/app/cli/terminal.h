// Terminal: standard error, where progress goes: lines, and on a real terminal one live line.
#pragma once

#include <string>
#include <string_view>

namespace weft {

// Not thread-safe. The destructor takes the live line away.
class Terminal {
 public:
  Terminal();
  ~Terminal() { clear(); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // False on a pipe or in a file: then live() shows nothing.
  bool is_live() const { return is_live_; }

  // Columns of the terminal now; people resize windows.
  int width() const;

  // A line that stays. The live line makes room for it.
  void line(std::string_view text);

  // Replaces the live line; the text is cut to the width.
  void live(std::string_view text);

 private:
  void clear();

  bool is_live_;
  bool shown_ = false;
};

// The text with everything that could move the cursor or break the line replaced by '?'.
std::string single_line(std::string_view text);

}  // namespace weft
