// Error: weft's only exception type. It says what failed, where, and what the user can do.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace weft {

enum class ErrorKind {
  kInput,    // wrong usage or wrong input: exit status 2
  kFailure,  // anything else that failed: exit status 1
};

// Printed by app/ as `weft: error: [where] what; hint`, on one line.
class Error : public std::runtime_error {
 public:
  // where: the operation, for example "checkpoint.read" or an op's name. hint may be empty.
  Error(ErrorKind kind, std::string where, std::string what, std::string hint = {})
      : std::runtime_error(format(where, what, hint)),
        kind_(kind),
        where_(std::move(where)),
        what_(std::move(what)),
        hint_(std::move(hint)) {}

  ErrorKind kind() const noexcept { return kind_; }
  const std::string& where() const noexcept { return where_; }
  const std::string& message() const noexcept { return what_; }
  const std::string& hint() const noexcept { return hint_; }

  // True if every rank of the run throws this error, so that only one of them reports it.
  bool is_on_all_ranks() const noexcept { return on_all_ranks_; }
  Error on_all_ranks() const {
    Error shared = *this;
    shared.on_all_ranks_ = true;
    return shared;
  }

 private:
  static std::string format(const std::string& where, const std::string& what,
                            const std::string& hint) {
    std::string line = "[" + where + "] " + what;
    if (!hint.empty()) line += "; " + hint;
    return line;
  }

  ErrorKind kind_;
  std::string where_, what_, hint_;
  bool on_all_ranks_ = false;
};

// Wrong usage or wrong input.
inline Error input_error(std::string where, std::string what, std::string hint = {}) {
  return {ErrorKind::kInput, std::move(where), std::move(what), std::move(hint)};
}

// Anything else that failed.
inline Error failure(std::string where, std::string what, std::string hint = {}) {
  return {ErrorKind::kFailure, std::move(where), std::move(what), std::move(hint)};
}

// Guards programmer errors. User input must never reach a false condition here.
inline void require(bool condition, const char* what) {
  if (!condition) throw Error(ErrorKind::kFailure, "internal", what, "this is a bug in weft");
}

}  // namespace weft
