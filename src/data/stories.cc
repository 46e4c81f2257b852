#include "data/stories.h"

#include <cctype>
#include <functional>
#include <map>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "data/story_grammar.h"

namespace weft {
namespace {

// The random stream of the stories; other uses of the same seed have other streams.
constexpr uint64_t kStoryStream = uint64_t{1} << 62;

// The position of the bracket that closes the one at `open`.
size_t closing(std::string_view text, size_t open) {
  int depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    depth += (text[i] == '[') - (text[i] == ']');
    if (depth == 0) return i;
  }
  throw Error(ErrorKind::kFailure, "internal", "a bracket of the story grammar does not close");
}

// Splits "a|[b|c]|d" into a, [b|c], d.
std::vector<std::string_view> alternatives(std::string_view text) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[') i = closing(text, i);
    if (text[i] == '|') {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::string_view rule(std::string_view name) {
  for (const StoryRule& candidate : kStoryRules) {
    if (candidate.name == name) return candidate.text;
  }
  throw Error(ErrorKind::kFailure, "internal", "no story rule " + std::string(name));
}

// One story: a pure function of (seed, number).
class Story {
 public:
  Story(uint64_t seed, uint64_t number) : seed_(seed), stream_(kStoryStream | number) {}

  std::string write() {
    introduce("", "hero");
    do introduce("friend_", "friend");
    while (words_["friend"] == words_["hero"]);
    return expand(kStoryPlots[choose(kStoryPlots.size())]);
  }

 private:
  size_t choose(size_t n) { return static_cast<size_t>(random_u64(seed_, stream_, drawn_++) % n); }

  void introduce(const std::string& prefix, const std::string& name) {
    const StoryCast& cast = kStoryCasts[choose(kStoryCasts.size())];
    words_[name] = expand(cast.names);
    words_[prefix + "kind"] = expand(cast.kind);
    words_[name + "_the"] =
        words_[name] + (cast.animal ? " the " + words_[prefix + "kind"] : std::string());
    words_[prefix + "he"] = cast.he;
    words_[prefix + "him"] = cast.him;
    words_[prefix + "his"] = cast.his;
    words_[prefix + "himself"] = std::string(cast.him) + "self";
  }

  std::string expand(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '[') {
        const size_t end = closing(text, i);
        const auto parts = alternatives(text.substr(i + 1, end - i - 1));
        out += expand(parts[choose(parts.size())]);
        i = end;
      } else if (text[i] == '{') {
        const size_t end = text.find('}', i);
        out += word(text.substr(i + 1, end - i - 1));
        i = end;
      } else {
        out += text[i];
      }
    }
    return out;
  }

  std::string word(std::string_view name) {
    if (name.starts_with('!')) return expand(rule(name.substr(1)));
    const auto known = words_.find(name);
    if (known != words_.end()) return known->second;
    return words_[std::string(name)] = expand(rule(name));
  }

  uint64_t seed_, stream_, drawn_ = 0;
  std::map<std::string, std::string, std::less<>> words_;
};

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

// Turns "a owl" into "an owl". The grammar has no word that is an exception to the rule of vowels.
std::string with_articles(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    const bool article = (text[i] == 'a' || text[i] == 'A') && (i == 0 || !is_letter(text[i - 1]));
    const bool vowel_follows =
        i + 2 < text.size() && text[i + 1] == ' ' &&
        std::string_view("aeiou").find(text[i + 2]) != std::string_view::npos;
    if (article && vowel_follows) out += 'n';
  }
  return out;
}

// Capitalises the first letter of every sentence. A sentence continues after `!"` and `?"` (asked
// Tom) and ends after `."`.
void capitalize(std::string& text) {
  bool ended = true;    // a sentence has ended and the next has not begun
  bool inside = false;  // inside a quotation
  for (size_t i = 0; i < text.size(); ++i) {
    char& c = text[i];
    if (c == '.' || c == '!' || c == '?') ended = true;
    if (c == '"') {
      inside = !inside;
      ended = inside || text[i - 1] == '.';
    }
    if (is_letter(c)) {
      if (ended) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      ended = false;
    }
  }
}

}  // namespace

std::string write_stories(int64_t bytes, uint64_t seed) {
  std::string text;
  for (uint64_t number = 0; static_cast<int64_t>(text.size()) < bytes; ++number) {
    if (!text.empty()) text += '\n';
    std::string story = with_articles(Story(seed, number).write());
    capitalize(story);
    text += story + '\n';
  }
  return text;
}

}  // namespace weft
