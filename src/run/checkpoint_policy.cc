#include "run/checkpoint_policy.h"

#include <algorithm>
#include <vector>

#include "formats/run_layout.h"
#include "run/checkpoint.h"

namespace weft {

void prune_checkpoints(const std::filesystem::path& run_directory,
                       const std::filesystem::path& newest, int64_t keep, FileSystem& files) {
  if (keep == 0) return;
  const std::vector<std::filesystem::path> all = RunLayout{run_directory}.list_checkpoints();
  const auto first = std::find(all.begin(), all.end(), newest) - all.begin();
  for (size_t i = size_t(first + keep); i < all.size(); ++i) remove_checkpoint(all[i], files);
}

}  // namespace weft
