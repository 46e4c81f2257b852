#include "base/system_calls.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>

namespace weft {
namespace {

// Returns a hint for this errno, or "" if the reason needs none.
std::string hint_for(int code) {
  switch (code) {
    case ENOSPC:
      return "the disk is full; free some space";
    case EDQUOT:
      return "your disk quota is used up; free some space";
    case EACCES:
    case EPERM:
      return "check its permissions";
    case ENOENT:
      return "check the path";
    case EEXIST:
    case ENOTDIR:
      return "a file stands where a directory is meant";
    case EISDIR:
      return "name a file, not a directory";
    case EROFS:
      return "choose a place that is not read-only";
    case ELOOP:
      return "its symbolic links lead in a circle";
    case EIO:
      return "the disk may be failing; look into the system's log (dmesg)";
    case EMFILE:
    case ENFILE:
      return "raise the limit on open files (ulimit -n)";
    default:
      return {};
  }
}

}  // namespace

Error system_error(ErrorKind kind, std::string where, std::string_view verb,
                   const std::filesystem::path& path, int code) {
  const std::string reason = std::generic_category().message(code);
  return {kind, std::move(where), fmt::format("cannot {} {}: {}", verb, path.string(), reason),
          hint_for(code)};
}

}  // namespace weft
