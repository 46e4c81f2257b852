// Writes the result of a command to a file or to standard output.
#pragma once

#include <string>
#include <string_view>

namespace weft {

// Writes to standard output if `path` is empty. Throws Error.
void write_result(const std::string& path, std::string_view bytes);

// Throws Error (kInput) if the path's directory does not exist. Commands call it before work that
// would be lost.
void require_directory_of(const std::string& path, const std::string& flag);

// Like require_directory_of, and also throws if the path is a directory or a device, which a file
// must not replace.
void require_replaceable(const std::string& path, const std::string& flag);

}  // namespace weft
