// error_of and mentions: check the message of an Error.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weft {

// Returns the message of the Error that a call throws, or "" if it throws none. Other exceptions
// pass through and fail the test.
template <typename Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

// True if the text contains every part.
inline testing::AssertionResult mentions(std::string_view text,
                                         std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) {
    if (text.find(part) == std::string_view::npos) {
      return testing::AssertionFailure() << "no \"" << part << "\" in \"" << text << "\"";
    }
  }
  return testing::AssertionSuccess();
}

}  // namespace weft
