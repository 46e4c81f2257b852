// Where a command's result goes: a file, or standard output.
#pragma once

#include <string>
#include <string_view>

namespace weft {

// Standard output if `path` is empty. Throws Error.
void write_result(const std::string& path, std::string_view bytes);

// Throws Error (kInput) if the path's directory does not exist: before work that would be lost.
void require_directory_of(const std::string& path, const std::string& flag);

// The same, and if the path is something that must not be replaced by a file: a directory, a
// device.
void require_replaceable(const std::string& path, const std::string& flag);

}  // namespace weft
