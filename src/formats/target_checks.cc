#include "formats/target_checks.h"

#include <system_error>

#include "base/system_calls.h"
#include "formats/hf_config.h"

namespace weft {

namespace fs = std::filesystem;

Error refuse_target(const fs::path& path, const std::string& reason, const std::string& hint) {
  return input_error("model.write", path.string() + " " + reason, hint);
}

Error refuse_to_replace(const fs::path& path, const std::string& reason) {
  return refuse_target(path, reason, "choose another --to, or give --force to replace it");
}

void check_searchable(const fs::path& directory) {
  std::error_code reason;
  const bool is_there = fs::exists(fs::symlink_status(directory / kHfConfigFile, reason));
  if (!is_there && reason == std::errc::permission_denied) {
    throw system_error(ErrorKind::kInput, "model.write", "look into", directory, reason.value());
  }
}

bool is_same_file(const fs::path& a, const fs::path& b) {
  std::error_code one_is_missing;
  return fs::equivalent(a, b, one_is_missing);
}

fs::path parent_directory(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : ".";
}

}  // namespace weft
