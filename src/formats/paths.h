// Questions about paths that a user gave: what cannot be looked at is not there.
#pragma once

#include <filesystem>

namespace weft {

inline bool names_file(const std::filesystem::path& path) {
  std::error_code unreadable;
  return std::filesystem::is_regular_file(path, unreadable);
}

inline bool names_directory(const std::filesystem::path& path) {
  std::error_code unreadable;
  return std::filesystem::is_directory(path, unreadable);
}

}  // namespace weft
