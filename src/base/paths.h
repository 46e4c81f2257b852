// Questions about paths that a user gave: what cannot be looked at is not there.
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

// Whatever it is, and even if it is a link that leads nowhere: opening it will say what is wrong.
inline bool path_exists(const std::filesystem::path& path) {
  std::error_code unreadable;
  return std::filesystem::symlink_status(path, unreadable).type() !=
         std::filesystem::file_type::not_found;
}

}  // namespace weft
