// Checks of paths that a model is to be written to, shared by ModelTarget and the formats.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"

namespace weft {

// An Error (kInput) that says why `path` is no target.
Error refuse_target(const std::filesystem::path& path, const std::string& reason,
                    const std::string& hint);
// The same, for what --force would replace.
Error refuse_to_replace(const std::filesystem::path& path, const std::string& reason);

// Throws Error (kInput) if the directory may not be searched: path_exists() is true of every
// name in such a directory.
void check_searchable(const std::filesystem::path& directory);

bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b);

// "." for a file name alone.
std::filesystem::path parent_directory(const std::filesystem::path& file);

}  // namespace weft
