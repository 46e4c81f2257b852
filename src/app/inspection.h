// Inspection: what a file or directory is, its sizes, and whether it is whole.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace weft {

struct Inspection {
  std::string kind;  // "token shard"
  std::vector<std::pair<std::string, std::string>> facts;
  std::vector<std::string> notes;  // what is odd and still whole
};

// Reads all of it: checksums where there are some, and every tensor of a model.
// Throws Error (kInput) with the reason where the path holds nothing that weft knows, or where what
// it holds is not whole.
Inspection inspect(const std::filesystem::path& path);

}  // namespace weft
