#include "app/cli/output_file.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/file_system.h"
#include "base/paths.h"

namespace weft {

void write_result(const std::string& path, std::string_view bytes) {
  if (path.empty()) {
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
  } else {
    write_file_durably(path, bytes);
  }
}

void require_directory_of(const std::string& path, const std::string& flag) {
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  if (directory.empty() || directory_exists(directory)) return;
  throw input_error("output", fmt::format("{}: there is no directory {}", flag, directory.string()),
                    "make it first");
}

void require_replaceable(const std::string& path, const std::string& flag) {
  require_directory_of(path, flag);
  std::error_code unreadable;
  const std::filesystem::file_status status = std::filesystem::status(path, unreadable);
  if (!std::filesystem::exists(status) || std::filesystem::is_regular_file(status)) return;
  throw input_error("output", fmt::format("{}: {} is no regular file", flag, path), "name a file");
}

}  // namespace weft
