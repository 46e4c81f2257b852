// What `weft --version` says of a build that did not ask git: cmake/BuildInfo.cmake writes a header
// of this name, which the include path puts first.
#pragma once

namespace weft {

inline constexpr const char* kVersion = "0.1.0";
inline constexpr const char* kGitCommit = "unknown";
inline constexpr const char* kCompiler = __VERSION__;
inline constexpr const char* kBuildType = "unknown build type";

}  // namespace weft
