// SmallVocabulary: 267 tokens, which tests write as files in GPT-2's form.
#pragma once

#include <string>
#include <vector>

#include "support/temp_directory.h"

namespace weft {

// The byte alphabet in the order of GPT-2's ids: 188 bytes that stand for themselves, then U+0100
// to U+0143. Written out independently, as a check of data/byte_alphabet.
inline std::vector<std::string> byte_spellings() {
  const auto utf8 = [](int c) {
    if (c < 0x80) return std::string(1, char(c));
    return std::string{char(0xC0 | c >> 6), char(0x80 | (c & 0x3F))};
  };
  std::vector<std::string> spellings;
  for (int c = 33; c <= 126; ++c) spellings.push_back(utf8(c));
  for (int c = 161; c <= 172; ++c) spellings.push_back(utf8(c));
  for (int c = 174; c <= 255; ++c) spellings.push_back(utf8(c));
  for (int c = 0x100; c <= 0x143; ++c) spellings.push_back(utf8(c));
  return spellings;
}

inline std::string json_key(const std::string& spelling) {
  return spelling == "\"" || spelling == "\\" ? "\"\\" + spelling + "\"" : "\"" + spelling + "\"";
}

// Spellings and merges that a test may change before it writes the files.
struct SmallVocabulary {
  std::vector<std::string> tokens = byte_spellings();  // by id
  std::vector<std::string> merges = {
      "h e", "l l", "he ll", "hell o",             // 256 to 259
      "Ġ w", "o r", "or l",  "Ġw orl", "Ġworl d",  // 260 to 264
      "a a",                                       // 265
  };

  SmallVocabulary() {
    for (std::string merge : merges) {
      tokens.push_back(merge.erase(merge.find(' '), 1));
    }
    tokens.push_back("<|endoftext|>");  // 266
  }

  std::string vocab_json() const {
    std::string json = "{";
    for (size_t id = 0; id < tokens.size(); ++id) {
      json += (id == 0 ? "" : ", ") + json_key(tokens[id]) + ": " + std::to_string(id);
    }
    return json + "}";
  }

  std::string merges_txt() const {
    std::string lines = "#version: 0.2\n";
    for (const std::string& merge : merges) lines += merge + "\n";
    return lines;
  }

  void write(const TempDirectory& directory) const {
    directory.write("vocab.json", vocab_json());
    directory.write("merges.txt", merges_txt());
  }
};

}  // namespace weft
