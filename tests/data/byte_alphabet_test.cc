#include "data/byte_alphabet.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace weft {
namespace {

using std::string_literals::operator""s;

TEST(ByteAlphabet, SpellsBytesAsGpt2Does) {
  EXPECT_EQ(spell_bytes(" the\n"), "\u0120the\u010A");
  EXPECT_EQ(spell_bytes("!~\xA1\xAC\xAE\xFF"), "!~\u00A1\u00AC\u00AE\u00FF");
  EXPECT_EQ(spell_bytes("\0\x7F\x80\xA0\xAD"s), "\u0100\u0121\u0122\u0142\u0143");
}

TEST(ByteAlphabet, EveryByteHasItsOwnSpellingThatReadsBack) {
  std::set<std::string> spellings;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string bytes(1, char(byte));
    spellings.insert(spell_bytes(bytes));
    EXPECT_EQ(unspell_bytes(spell_bytes(bytes)), bytes);
  }

  EXPECT_EQ(spellings.size(), 256u);
}

TEST(ByteAlphabet, RefusesWhatIsOutsideIt) {
  for (const std::string outside :
       {" ", "\n", "\x7F", "\u00A0", "\u00AD", "\u0144", "\u4E00", "\U0001F999", "a\xFF", "\xC4"}) {
    EXPECT_EQ(unspell_bytes(outside), std::nullopt) << outside;
  }
}

}  // namespace
}  // namespace weft
