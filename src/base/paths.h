// Checks of paths that a user gave. A path that cannot be examined counts as missing.
#pragma once

#include <filesystem>

namespace weft {

inline bool file_exists(const std::filesystem::path& path) {
  std::error_code unreadable;
  return std::filesystem::is_regular_file(path, unreadable);
}

inline bool directory_exists(const std::filesystem::path& path) {
  std::error_code unreadable;
  return std::filesystem::is_directory(path, unreadable);
}

// True for a file of any kind, even a dangling link: opening it will report what is wrong.
inline bool path_exists(const std::filesystem::path& path) {
  std::error_code unreadable;
  return std::filesystem::symlink_status(path, unreadable).type() !=
         std::filesystem::file_type::not_found;
}

}  // namespace weft
