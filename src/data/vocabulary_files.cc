#include "data/vocabulary_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/paths.h"
#include "data/byte_alphabet.h"
#include "data/vocabulary_parts.h"

namespace weft {
namespace {

using nlohmann::json;
using std::filesystem::path;

constexpr std::string_view kVersionLine = "#version: 0.2";

constexpr const char* kPartnerHint =
    "vocab.json needs merges.txt beside it, and encoder.json needs vocab.bpe";
constexpr const char* kVocabHint =
    "expected GPT-2's vocab.json (encoder.json): one JSON object of tokens, spelled in the byte "
    "alphabet, and their ids from 0 on";
constexpr const char* kMergesHint =
    "expected GPT-2's merges.txt (vocab.bpe): lines of two tokens with one space between, and the "
    "vocab.json that belongs to it";

struct FileNames {
  const char *vocab, *merges;
};
constexpr std::array kFileNames = {FileNames{"vocab.json", "merges.txt"},
                                   FileNames{"encoder.json", "vocab.bpe"}};

Error tokenizer_error(std::string what, const char* hint) {
  return input_error("tokenizer", std::move(what), hint);
}

Error bad_vocab(const path& file, std::string_view what) {
  return tokenizer_error(fmt::format("{}: {}", file.string(), what), kVocabHint);
}

Error bad_merges(const path& file, std::string_view what) {
  return tokenizer_error(fmt::format("{}: {}", file.string(), what), kMergesHint);
}

// --- The vocabulary ------------------------------------------------------------------------------

// Collects the entries during parsing. The library itself would silently keep the last of two equal
// keys, and would build any depth of nesting.
class EntryCollector {
 public:
  explicit EntryCollector(const path& file) : file_(file) {}

  void on_event(int depth, json::parse_event_t event, const json& parsed) {
    using Event = json::parse_event_t;
    if (event == Event::key) {
      add_key(parsed.get<std::string>());
    } else if (event == Event::value && depth == 1) {
      add_id(parsed);
    } else if (depth > 0 || event == Event::array_start || event == Event::value) {
      throw bad_vocab(file_, "is not one flat JSON object");
    }
  }

  std::vector<TokenEntry> take() { return std::move(entries_); }

 private:
  void add_key(std::string spelling) {
    if (entries_.size() == kMaxTokens) {
      throw bad_vocab(file_, fmt::format("has more than {} tokens, the most that 16-bit ids allow",
                                         kMaxTokens));
    }
    if (!seen_.insert(spelling).second) {
      throw bad_vocab(file_, fmt::format("token {} occurs twice", excerpt(spelling)));
    }
    entries_.push_back({std::move(spelling), 0});
  }

  void add_id(const json& value) {
    TokenEntry& entry = entries_.back();
    if (!value.is_number_unsigned()) {
      throw bad_vocab(file_, fmt::format("the id of token {} is not a whole number from 0 on",
                                         excerpt(entry.spelling)));
    }
    entry.id = value.get<uint64_t>();
  }

  const path& file_;
  std::unordered_set<std::string> seen_;
  std::vector<TokenEntry> entries_;
};

std::vector<TokenEntry> read_entries(const path& file) {
  const std::string text = read_file(file);
  // The library would take a NUL byte for the end of the text.
  if (text.find('\0') != text.npos) throw bad_vocab(file, "is not JSON: it holds a NUL byte");
  EntryCollector collector(file);
  const auto callback = [&](int depth, json::parse_event_t event, json& parsed) {
    collector.on_event(depth, event, parsed);
    return true;
  };
  try {
    [[maybe_unused]] const json collected_already = json::parse(text, callback);
  } catch (const json::parse_error& error) {
    throw bad_vocab(file, fmt::format("is cut short or not JSON, at byte {}", error.byte));
  } catch (const json::out_of_range&) {
    throw bad_vocab(file, "has a number that is out of range");
  }
  return collector.take();
}

Token find_end_of_text(const path& file, const TokenIds& ids) {
  const auto found = ids.find(kEndOfText);
  if (found == ids.end()) throw bad_vocab(file, fmt::format("token {} is missing", kEndOfText));
  return found->second;
}

// --- The merges ----------------------------------------------------------------------------------

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<BpeMerge> read_merges(const path& file, const TokenIds& ids) {
  const std::string text = read_file(file);
  MergeParser merges(ids);
  int64_t line_number = 0;
  const Complaint complaint = [&](std::string_view what) {
    return bad_merges(file, fmt::format("line {}: {}", line_number, what));
  };
  for (const std::string_view line : split_lines(text)) {
    ++line_number;
    if (line_number == 1 && line.starts_with("#version")) continue;
    const size_t space = line.find(' ');
    if (space == line.npos) throw complaint("is not two tokens with a space between");
    merges.add(line.substr(0, space), line.substr(space + 1), complaint);
  }
  return merges.take();
}

VocabularyPaths require_both(const VocabularyPaths& paths) {
  for (const path& file : {paths.vocab, paths.merges}) {
    if (!file_exists(file)) throw tokenizer_error(file.string() + " is missing", kPartnerHint);
  }
  return paths;
}

}  // namespace

std::optional<VocabularyPaths> find_vocabulary(const path& given) {
  const bool in_directory = directory_exists(given);
  const path directory = in_directory ? given : given.parent_path();
  for (const auto& [vocab, merges] : kFileNames) {
    const VocabularyPaths paths = {directory / vocab, directory / merges};
    const bool is_meant = in_directory ? file_exists(paths.vocab) || file_exists(paths.merges)
                                       : given.filename() == vocab || given.filename() == merges;
    if (is_meant) return require_both(paths);
  }
  return std::nullopt;
}

BpeVocabulary read_vocabulary(const VocabularyPaths& paths) {
  const Complaint of_vocab = [&](std::string_view what) { return bad_vocab(paths.vocab, what); };
  const Complaint of_merges = [&](std::string_view what) { return bad_merges(paths.merges, what); };
  BpeVocabulary vocabulary;
  vocabulary.tokens = tokens_by_id(read_entries(paths.vocab), of_vocab);
  const TokenIds ids = ids_by_token(vocabulary.tokens);
  check_single_bytes(ids, of_vocab);
  vocabulary.end_of_text = find_end_of_text(paths.vocab, ids);
  vocabulary.merges = read_merges(paths.merges, ids);
  find_special_tokens(vocabulary, of_merges);
  return vocabulary;
}

std::string write_vocab_json(const BpeVocabulary& vocabulary) {
  std::string text = "{";
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (id > 0) text += ", ";
    text += fmt::format("{}: {}", json_string(spell_bytes(vocabulary.tokens[id])), id);
  }
  return text + "}";
}

std::string write_merges_txt(const BpeVocabulary& vocabulary) {
  std::string text = fmt::format("{}\n", kVersionLine);
  for (const auto& [left, right, result] : vocabulary.merges) {
    text +=
        spell_bytes(vocabulary.tokens[left]) + " " + spell_bytes(vocabulary.tokens[right]) + "\n";
  }
  return text;
}

}  // namespace weft
