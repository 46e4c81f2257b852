#include "formats/run_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/paths.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStepPrefix = "step_";
constexpr std::string_view kUnfinishedPrefix = ".unfinished_";

std::string step_name(int64_t step) { return fmt::format("{}{:08}", kStepPrefix, step); }

// `step_00000100` -> 100.
std::optional<int64_t> step_of(const std::string& name) {
  if (!name.starts_with(kStepPrefix)) return std::nullopt;
  const char* digits = name.data() + kStepPrefix.size();
  const char* end = name.data() + name.size();
  int64_t step = 0;
  const auto [stop, error] = std::from_chars(digits, end, step);
  const bool is_number = error == std::errc() && stop == end && *digits != '-';
  return is_number ? std::optional(step) : std::nullopt;
}

}  // namespace

fs::path RunLayout::checkpoint(int64_t step) const { return checkpoints() / step_name(step); }

fs::path RunLayout::unfinished(int64_t step) const {
  return checkpoints() / (std::string(kUnfinishedPrefix) + step_name(step));
}

fs::path RunLayout::removed(const fs::path& checkpoint) {
  return checkpoint.parent_path() /
         fmt::format("{}old_{}", kUnfinishedPrefix, checkpoint.filename().string());
}

// Names have eight digits or more, so steps are compared as numbers.
std::vector<fs::path> RunLayout::list_checkpoints() const {
  std::vector<std::pair<int64_t, fs::path>> found;
  std::error_code none_yet;
  for (const fs::directory_entry& entry : fs::directory_iterator(checkpoints(), none_yet)) {
    const std::optional<int64_t> step = step_of(entry.path().filename().string());
    if (step && directory_exists(entry.path())) found.emplace_back(*step, entry.path());
  }
  std::sort(found.rbegin(), found.rend());
  std::vector<fs::path> paths;
  paths.reserve(found.size());
  for (auto& [step, path] : found) paths.push_back(std::move(path));
  return paths;
}

std::vector<fs::path> RunLayout::list_unfinished() const {
  std::vector<fs::path> found;
  std::error_code none_yet;
  for (const fs::directory_entry& entry : fs::directory_iterator(checkpoints(), none_yet)) {
    if (entry.path().filename().string().starts_with(kUnfinishedPrefix)) {
      found.push_back(entry.path());
    }
  }
  return found;
}

}  // namespace weft
