// Paths that do not name a readable regular file: missing, a directory, a pipe and others.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace weft {

struct SpecialFile {
  std::string reason;  // a part of the message that a reader must give
  std::function<void(const std::filesystem::path&)> make;
};

// Reading any of them must end with an error that names the reason.
inline std::vector<SpecialFile> special_files() {
  namespace fs = std::filesystem;
  return {
      {"Is a directory", [](const fs::path& path) { fs::create_directories(path); }},
      {"not a regular file",
       [](const fs::path& path) {
         if (mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("no FIFO");
       }},
      {"Too many levels of symbolic links",
       [](const fs::path& path) { fs::create_symlink(path.filename(), path); }},
      {"No such file", [](const fs::path& path) { fs::create_symlink("nowhere", path); }},
  };
}

}  // namespace weft
