// The alphabet in which vocabulary files spell bytes: 256 printable characters, one for each byte.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weft {

// Spells bytes as the files of GPT-2 and Hugging Face do, in UTF-8. The bytes 33-126, 161-172 and
// 174-255 stand for themselves (as code points); the other 68, in increasing order, become U+0100,
// U+0101, ...: " the" is "Ġthe" (U+0120, then "the").
std::string spell_bytes(std::string_view bytes);

// The inverse. Empty if the spelling is not UTF-8 or has a character outside the alphabet.
std::optional<std::string> unspell_bytes(std::string_view spelling);

}  // namespace weft
