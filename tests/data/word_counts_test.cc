#include "data/word_counts.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weft {
namespace {

using Words = std::vector<WordCount>;

// A text of 15 MB, so that it is counted in several rounds. A space precedes every word but the
// first.
std::string long_text() {
  std::string text = "start";
  for (int i = 0; text.size() < 15'000'000; ++i) text += " w" + std::to_string(i % 97) + "\n";
  return text;
}

Words count(int threads, const std::string& text, size_t piece_bytes) {
  WordCounter counter(threads);
  for (size_t i = 0; i < text.size(); i += piece_bytes) counter.add(text.substr(i, piece_bytes));
  return counter.finish();
}

TEST(WordCounts, AreOfThePiecesSorted) {
  EXPECT_EQ(count(1, "to be or to  be", 100),
            (Words{{" ", 1}, {" be", 2}, {" or", 1}, {" to", 1}, {"to", 1}}));
}

TEST(WordCounts, DoNotDependOnHowTheTextComes) {
  EXPECT_EQ(count(1, "can't", 2), count(2, "can't", 5));
}

TEST(WordCounts, DoNotDependOnThreads) {
  const std::string text = long_text();

  const Words one = count(1, text, 1 << 20);

  EXPECT_EQ(count(3, text, 999'983), one);
  ASSERT_EQ(one.size(), 1 + 1 + 1 + 97u) << "newlines, ' w', 'start' and the numbers";
  EXPECT_EQ(one[0].word, "\n");
  EXPECT_EQ(one[1].word, " w");
  EXPECT_EQ(one[0].count, one[1].count);
}

TEST(WordCounts, NoWordCrossesFromATextIntoTheNext) {
  WordCounter counter(2);
  counter.add("ab");
  counter.end_text();
  counter.add("ab");

  EXPECT_EQ(counter.finish(), (Words{{"ab", 2}}));
}

// Searching all of the pending text for a cut each time that more arrives would take hours (5,000
// times up to 20 MB), so the test's time limit would stop it.
TEST(WordCounts, AWordWithoutEndIsNotQuadratic) {
  const std::string text(20'000'000, 'a');

  EXPECT_EQ(count(1, text, 4096), (Words{{text, 1}}));
}

}  // namespace
}  // namespace weft
