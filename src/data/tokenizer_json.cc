#include "data/tokenizer_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "data/byte_alphabet.h"
#include "data/vocabulary_files.h"
#include "data/vocabulary_parts.h"

namespace weft {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using std::filesystem::path;

constexpr const char* kWhere = "tokenizer";
constexpr const char* kHint =
    "weft reads byte-level BPE as GPT-2 has it; a vocab.json with its merges.txt is read if you "
    "name it";

// The values of each setting that give GPT-2's ids. "truncation" and "padding" are not in the list,
// because they concern a call and not the text; neither is "unk_token", because every byte is a
// token and so none is unknown.
struct Setting {
  const char* pointer;
  const char* allowed;  // a JSON array; null also allows the setting to be absent
};
constexpr Setting kSettings[] = {
    {"/model/type", R"(["BPE", null])"},  // files of 2020 do not name it
    {"/model/dropout", "[null, 0.0]"},
    {"/model/continuing_subword_prefix", R"([null, ""])"},
    {"/model/end_of_word_suffix", R"([null, ""])"},
    {"/model/byte_fallback", "[false, null]"},
    {"/model/ignore_merges", "[false, null]"},
    {"/normalizer", "[null]"},
    {"/pre_tokenizer/type", R"(["ByteLevel"])"},
    {"/pre_tokenizer/add_prefix_space", "[false]"},  // absent, it is true
    {"/pre_tokenizer/use_regex", "[true, null]"},
    {"/post_processor/type", R"(["ByteLevel", null])"},  // others add tokens
    {"/decoder/type", R"(["ByteLevel"])"},
};

// Formats a value for messages: in ASCII, cut like excerpt().
std::string excerpt_of(const json& value) {
  constexpr size_t kShown = 40;
  const std::string text = value.dump(-1, ' ', true);
  return text.substr(0, kShown) + (text.size() > kShown ? "..." : "");
}

class TokenizerJsonReader {
 public:
  explicit TokenizerJsonReader(const path& file)
      : file_(file), root_(read_json_object(file, kWhere)) {}

  BpeVocabulary read() const {
    for (const Setting& setting : kSettings) check(setting);
    const json added = at("/added_tokens", json::value_t::array, "a list");
    BpeVocabulary vocabulary;
    vocabulary.tokens = tokens_by_id(read_entries(added), complaint_);
    const TokenIds ids = ids_by_token(vocabulary.tokens);
    check_single_bytes(ids, complaint_);
    for (const json& token : added) vocabulary.special_tokens.push_back(token["id"].get<Token>());
    vocabulary.end_of_text = find_end_of_text(added);
    vocabulary.merges = read_merges(ids);
    find_special_tokens(vocabulary, complaint_);
    return vocabulary;
  }

 private:
  // Null if the member is absent.
  json value_of(const char* pointer) const {
    const json::json_pointer at(pointer);
    return root_.contains(at) ? root_.at(at) : json();
  }

  const json& at(const char* pointer, json::value_t type, const char* kind) const {
    const json::json_pointer at(pointer);
    if (!root_.contains(at) || root_.at(at).type() != type) {
      throw complaint_(fmt::format("{} is not {}", pointer, kind));
    }
    return root_.at(at);
  }

  void check(const Setting& setting) const {
    const json allowed = json::parse(setting.allowed);
    const json value = value_of(setting.pointer);
    if (std::ranges::find(allowed, value) != allowed.end()) return;
    throw complaint_(fmt::format("{} is {}, and must be {} to give GPT-2's ids", setting.pointer,
                                 excerpt_of(value), allowed.front().dump()));
  }

  // The entries of the model and those added tokens that are not among them.
  std::vector<TokenEntry> read_entries(const json& added) const {
    const json& vocab = at("/model/vocab", json::value_t::object, "an object");
    std::vector<TokenEntry> entries;
    for (const auto& [spelling, id] : vocab.items()) entries.push_back({spelling, id_of(id)});
    for (const json& token : added) {
      const TokenEntry entry = added_entry(token);
      if (!vocab.contains(entry.spelling)) {
        entries.push_back(entry);
      } else if (vocab[entry.spelling] != entry.id) {
        throw complaint_(fmt::format("added token {} has id {}, and {} in the vocabulary",
                                     excerpt(entry.spelling), entry.id,
                                     vocab[entry.spelling].dump()));
      }
    }
    return entries;
  }

  uint64_t id_of(const json& id) const {
    if (!id.is_number_unsigned()) {
      throw complaint_(fmt::format("id {} is not a whole number from 0 on", excerpt_of(id)));
    }
    return id.get<uint64_t>();
  }

  TokenEntry added_entry(const json& token) const {
    const bool is_whole = token.is_object() && token.contains("id") && token.contains("content") &&
                          token["content"].is_string();
    if (!is_whole) {
      throw complaint_(
          fmt::format("{} is not an added token with an id and its content", excerpt_of(token)));
    }
    return {spell_bytes(token["content"].get<std::string>()), id_of(token["id"])};
  }

  Token find_end_of_text(const json& added) const {
    for (const json& token : added) {
      if (token["content"] == kEndOfText) return token["id"].get<Token>();
    }
    throw complaint_(fmt::format("{} is not among the added tokens", kEndOfText));
  }

  std::vector<BpeMerge> read_merges(const TokenIds& ids) const {
    MergeParser merges(ids);
    size_t number = 0;
    const Complaint complaint = [&](std::string_view what) {
      return complaint_(fmt::format("merge {}: {}", number, what));
    };
    for (const json& merge : at("/model/merges", json::value_t::array, "a list")) {
      const auto [left, right] = split(merge, complaint);
      merges.add(left, right, complaint);
      ++number;
    }
    return merges.take();
  }

  static std::pair<std::string, std::string> split(const json& merge, const Complaint& complaint) {
    if (merge.is_string()) {
      const auto& text = merge.get_ref<const std::string&>();
      const size_t space = text.find(' ');
      if (space != text.npos) return {text.substr(0, space), text.substr(space + 1)};
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
               merge[1].is_string()) {
      return {merge[0].get<std::string>(), merge[1].get<std::string>()};
    }
    throw complaint(excerpt_of(merge) + " is not two tokens");
  }

  path file_;
  Complaint complaint_ = [this](std::string_view what) {
    return input_error(kWhere, fmt::format("{}: {}", file_.string(), what), kHint);
  };
  json root_;
};

ordered_json added_tokens(const BpeVocabulary& vocabulary) {
  ordered_json added = ordered_json::array();
  for (const Token id : vocabulary.special_tokens) {
    added.push_back({{"id", id},
                     {"content", vocabulary.tokens[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  return added;
}

std::string write_merges(const BpeVocabulary& vocabulary) {
  std::string text = "[";
  for (const auto& [left, right, result] : vocabulary.merges) {
    if (text.size() > 1) text += ", ";
    text += json_string(spell_bytes(vocabulary.tokens[left]) + " " +
                        spell_bytes(vocabulary.tokens[right]));
  }
  return text + "]";
}

}  // namespace

BpeVocabulary read_tokenizer_json(const path& file) { return TokenizerJsonReader(file).read(); }

std::string write_tokenizer_json(const BpeVocabulary& vocabulary) {
  const ordered_json byte_level = {{"type", "ByteLevel"},
                                   {"add_prefix_space", false},
                                   {"trim_offsets", true},
                                   {"use_regex", true}};
  return fmt::format(R"({{
  "version": "1.0",
  "truncation": null,
  "padding": null,
  "added_tokens": {},
  "normalizer": null,
  "pre_tokenizer": {},
  "post_processor": {},
  "decoder": {},
  "model": {{
    "type": "BPE",
    "dropout": null,
    "unk_token": null,
    "continuing_subword_prefix": null,
    "end_of_word_suffix": null,
    "fuse_unk": false,
    "byte_fallback": false,
    "vocab": {},
    "merges": {}
  }}
}}
)",
                     added_tokens(vocabulary).dump(), byte_level.dump(), byte_level.dump(),
                     byte_level.dump(), write_vocab_json(vocabulary), write_merges(vocabulary));
}

}  // namespace weft
