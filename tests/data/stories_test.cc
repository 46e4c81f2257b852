#include "data/stories.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace weft {
namespace {

const std::string& corpus() {
  static const std::string text = write_stories(2'000'000, 42);
  return text;
}

std::vector<std::string> paragraphs(const std::string& text) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t end; (end = text.find("\n\n", begin)) != std::string::npos; begin = end + 2) {
    parts.push_back(text.substr(begin, end - begin));
  }
  parts.push_back(text.substr(begin, text.find('\n', begin) - begin));
  return parts;
}

bool is_upper(char c) { return 'A' <= c && c <= 'Z'; }
bool is_lower(char c) { return 'a' <= c && c <= 'z'; }
bool is_vowel(char c) { return std::string_view("aeiouAEIOU").find(c) != std::string_view::npos; }
bool is_mark(char c) { return std::string_view(".,!?").find(c) != std::string_view::npos; }

// The words of a text: its runs of letters.
std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> found(1);
  for (const char c : text) {
    if (is_upper(c) || is_lower(c)) {
      found.back() += c;
    } else if (!found.back().empty()) {
      found.emplace_back();
    }
  }
  if (found.back().empty()) found.pop_back();
  return found;
}

// The distinct words that follow a mark.
std::set<std::string> words_after(const std::string& text, std::string_view mark) {
  std::set<std::string> found;
  for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    const size_t begin = at + mark.size();
    found.insert(text.substr(begin, text.find_first_of(" .,!?\n", begin) - begin));
  }
  return found;
}

// The text around the first two neighbouring words that the predicate accepts, or "".
template <typename Predicate>
std::string first_pair(const std::string& text, Predicate predicate) {
  for (size_t i = 1; i < text.size(); ++i) {
    if (predicate(text[i - 1], text[i])) return text.substr(i < 40 ? 0 : i - 40, 80);
  }
  return {};
}

TEST(Stories, TheSameSeedGivesTheSameText) {
  EXPECT_EQ(write_stories(50'000, 7), write_stories(50'000, 7));
  EXPECT_NE(write_stories(50'000, 7), write_stories(50'000, 8));
}

TEST(Stories, ALongerTextBeginsWithTheShorterOne) {
  EXPECT_TRUE(write_stories(50'000, 7).starts_with(write_stories(10'000, 7)));
}

TEST(Stories, TheTextIsNeverShorterThanAskedAndAtMostOneStoryLonger) {
  for (const int64_t bytes : {1, 600, 601, 12345, 100'003}) {
    const auto size = static_cast<int64_t>(write_stories(bytes, 42).size());
    EXPECT_GE(size, bytes);
    EXPECT_LT(size, bytes + 1000);
  }
  EXPECT_EQ(write_stories(0, 42), "");
}

TEST(Stories, ThereIsOnlyPrintableAsciiAndNewlines) {
  EXPECT_TRUE(std::all_of(corpus().begin(), corpus().end(),
                          [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
}

TEST(Stories, OneBlankLineSeparatesStories) {
  EXPECT_EQ(corpus().find("\n\n\n"), std::string::npos);
  EXPECT_EQ(corpus().back(), '\n');
  for (const std::string& story : paragraphs(corpus())) {
    ASSERT_EQ(story.find('\n'), std::string::npos) << story;
    ASSERT_GE(std::count(story.begin(), story.end(), '.'), 4) << story;
    ASSERT_LT(story.size(), 1000u) << story;
  }
}

TEST(Stories, NothingOfTheGrammarRemains) {
  EXPECT_EQ(corpus().find_first_of("{}[]|"), std::string::npos);
}

TEST(Stories, SpacesAndMarksAreInTheirPlaces) {
  const std::string misplaced = first_pair(corpus(), [](char a, char b) {
    const bool stray_space =
        (a == ' ' && (b == ' ' || b == '\n' || is_mark(b))) || (a == '\n' && b == ' ');
    const bool missing_space = is_mark(a) && b != ' ' && b != '"' && b != '\n';
    return stray_space || missing_space;
  });

  EXPECT_EQ(misplaced, "");
}

TEST(Stories, EverySentenceBeginsWithACapitalAndEndsWithAMark) {
  for (const std::string& story : paragraphs(corpus())) {
    ASSERT_TRUE(is_upper(story.front())) << story;
    ASSERT_TRUE(story.ends_with('.') || story.ends_with('!') || story.ends_with(".\"")) << story;
  }
  for (const char* const end : {". ", "! ", "? ", ".\" "}) {
    for (const std::string& word : words_after(corpus(), end)) {
      EXPECT_TRUE(is_upper(word.front()) || word.front() == '"') << end << word;
    }
  }
}

TEST(Stories, QuotationsOpenWithACapitalAndClose) {
  for (const std::string& story : paragraphs(corpus())) {
    bool inside = false;
    for (size_t i = 0; i < story.size(); ++i) {
      if (story[i] != '"') continue;
      inside = !inside;
      if (inside) {
        ASSERT_TRUE(is_upper(story[i + 1])) << story;
      } else {
        ASSERT_TRUE(is_mark(story[i - 1])) << story;
      }
    }
    ASSERT_FALSE(inside) << story;
  }
}

TEST(Stories, SomeoneSaysEveryQuotation) {
  const std::set<std::string> statements = {"said", "thought"};
  const std::set<std::string> questions = {"asked", "called"};
  const std::set<std::string> exclamations = {"called", "cried", "shouted"};

  EXPECT_EQ(words_after(corpus(), ",\" "), statements);
  EXPECT_EQ(words_after(corpus(), "?\" "), questions);
  EXPECT_EQ(words_after(corpus(), "!\" "), exclamations);
}

TEST(Stories, ArticlesAgreeWithTheNextWord) {
  const std::vector<std::string> all = words(corpus());
  int vowels = 0;

  for (size_t i = 0; i + 1 < all.size(); ++i) {
    if (all[i] == "a" || all[i] == "A") {
      EXPECT_FALSE(is_vowel(all[i + 1][0])) << all[i + 1];
    }
    if (all[i] == "an" || all[i] == "An") {
      EXPECT_TRUE(is_vowel(all[i + 1][0])) << all[i + 1];
      ++vowels;
    }
  }

  EXPECT_GT(vowels, 100);
}

TEST(Stories, ReflexivePronounsAgreeWithTheirSubject) {
  std::string subject;
  int reflexives = 0;

  for (const std::string& word : words(corpus())) {
    if (word == "he" || word == "she") subject = word;
    if (word != "himself" && word != "herself") continue;
    EXPECT_EQ(word, subject == "he" ? "himself" : "herself");
    ++reflexives;
  }

  EXPECT_GT(reflexives, 100);
}

TEST(Stories, HardlyAStoryComesTwice) {
  const std::vector<std::string> stories = paragraphs(corpus());

  const std::set<std::string> distinct(stories.begin(), stories.end());

  EXPECT_GT(stories.size(), 2000u);
  EXPECT_GT(static_cast<double>(distinct.size()), 0.99 * static_cast<double>(stories.size()));
}

TEST(Stories, TheVocabularyIsSmallAndEveryWordComesOften) {
  std::map<std::string, int> counts;
  for (std::string word : words(corpus())) {
    word[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(word[0])));
    ++counts[word];
  }

  EXPECT_GE(counts.size(), 400u);
  EXPECT_LE(counts.size(), 800u);
  // A model cannot learn a word that hardly occurs.
  for (const auto& [word, count] : counts) EXPECT_GE(count, 10) << word;
}

}  // namespace
}  // namespace weft
