#include "data/vocabulary_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "data/byte_alphabet.h"

namespace weft {
namespace {

using nlohmann::json;
using std::filesystem::path;

constexpr size_t kMaxTokens = size_t{std::numeric_limits<Token>::max()} + 1;
constexpr std::string_view kVersionLine = "#version: 0.2";

constexpr const char* kPathHint =
    "expected `bytes`, a directory with vocab.json and merges.txt (or encoder.json and vocab.bpe), "
    "or one of these files with its partner beside it";
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

// A JSON string in ASCII: as OpenAI and Hugging Face write tokens, and safe to print.
std::string json_string(std::string_view text) {
  return json(text).dump(-1, ' ', true, json::error_handler_t::replace);
}

// For messages, in which an endless token would hide the rest.
std::string excerpt(std::string_view text) {
  constexpr size_t kShown = 40;
  return json_string(text.substr(0, kShown)) + (text.size() > kShown ? "..." : "");
}

// --- The vocabulary ------------------------------------------------------------------------------

struct Entry {
  std::string spelling;
  uint64_t id;
};

// Collects the entries as the parser meets them: json itself would keep the last of two equal keys
// in silence, and would build whatever nesting a file asks for.
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

  std::vector<Entry> take() { return std::move(entries_); }

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
    Entry& entry = entries_.back();
    if (!value.is_number_unsigned()) {
      throw bad_vocab(file_, fmt::format("the id of token {} is not a whole number from 0 on",
                                         excerpt(entry.spelling)));
    }
    entry.id = value.get<uint64_t>();
  }

  const path& file_;
  std::unordered_set<std::string> seen_;
  std::vector<Entry> entries_;
};

std::vector<Entry> read_entries(const path& file) {
  const std::string text = read_file(file);
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

// The bytes of every id. As many ids as entries, each below their number, none twice: so each once.
std::vector<std::string> tokens_by_id(const path& file, const std::vector<Entry>& entries) {
  std::vector<std::string> tokens(entries.size());
  for (const auto& [spelling, id] : entries) {
    const auto bytes = unspell_bytes(spelling);
    if (!bytes || bytes->empty()) {
      throw bad_vocab(
          file, fmt::format("token {} is not spelled in the byte alphabet", excerpt(spelling)));
    }
    if (id >= tokens.size()) {
      throw bad_vocab(file, fmt::format("token {} has id {}, but there are only {} tokens",
                                        excerpt(spelling), id, tokens.size()));
    }
    if (!tokens[id].empty()) throw bad_vocab(file, fmt::format("id {} occurs twice", id));
    tokens[id] = *bytes;
  }
  return tokens;
}

using Ids = std::unordered_map<std::string_view, Token>;  // by the token's bytes

Ids ids_by_token(const std::vector<std::string>& tokens) {
  Ids ids;
  ids.reserve(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id) ids.emplace(tokens[id], Token(id));
  return ids;
}

void check_single_bytes(const path& file, const Ids& ids) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (!ids.contains({&c, 1})) {
      throw bad_vocab(file, fmt::format("no token is the single byte {:#04x}, spelled {}", byte,
                                        json_string(spell_bytes({&c, 1}))));
    }
  }
}

Token find_end_of_text(const path& file, const Ids& ids) {
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

class MergesReader {
 public:
  MergesReader(const path& file, const Ids& ids) : file_(file), ids_(ids) {}

  std::vector<BpeMerge> read() {
    const std::string text = read_file(file_);
    std::vector<BpeMerge> merges;
    for (const std::string_view line : split_lines(text)) {
      ++line_number_;
      if (line_number_ == 1 && line.starts_with("#version")) continue;
      merges.push_back(parse(line));
    }
    return merges;
  }

 private:
  BpeMerge parse(std::string_view line) {
    const size_t space = line.find(' ');
    if (space == line.npos) throw bad_line("is not two tokens with a space between");
    const std::string left = unspell(line.substr(0, space));
    const std::string right = unspell(line.substr(space + 1));
    const BpeMerge merge = {find(left), find(right), find(left + right)};
    if (!pairs_.insert({merge.left, merge.right}).second) throw bad_line("repeats a merge");
    return merge;
  }

  std::string unspell(std::string_view spelling) const {
    auto bytes = unspell_bytes(spelling);
    if (!bytes) throw bad_line(excerpt(spelling) + " is not spelled in the byte alphabet");
    return *std::move(bytes);
  }

  Token find(const std::string& bytes) const {
    const auto found = ids_.find(bytes);
    if (found == ids_.end()) {
      throw bad_line(excerpt(spell_bytes(bytes)) + " is not in the vocabulary");
    }
    return found->second;
  }

  Error bad_line(std::string_view what) const {
    return bad_merges(file_, fmt::format("line {}: {}", line_number_, what));
  }

  const path& file_;
  const Ids& ids_;
  std::set<std::pair<Token, Token>> pairs_;
  int64_t line_number_ = 0;
};

bool looks_special(std::string_view token) {
  return (token.starts_with('<') && token.ends_with('>')) ||
         (token.starts_with('[') && token.ends_with(']'));
}

// A merges.txt that was cut at the end of a line, or that belongs to another vocabulary, is well
// formed but would encode text differently. It shows in tokens that no merge makes, and that are no
// special tokens like <|endoftext|> or [PAD].
void check_merges_make_every_token(const path& file, const BpeVocabulary& vocabulary) {
  std::vector<bool> is_made(vocabulary.tokens.size());
  for (const BpeMerge& merge : vocabulary.merges) is_made[merge.result] = true;
  for (size_t id = 0; id < is_made.size(); ++id) {
    const std::string& token = vocabulary.tokens[id];
    if (is_made[id] || token.size() == 1 || looks_special(token)) continue;
    throw bad_merges(file, fmt::format("no merge makes token {} ({}): is the file cut short?", id,
                                       excerpt(spell_bytes(token))));
  }
}

bool is_file(const path& path) {
  std::error_code ignored;
  return is_regular_file(path, ignored);
}

VocabularyPaths require_both(const VocabularyPaths& paths) {
  for (const path& file : {paths.vocab, paths.merges}) {
    if (!is_file(file)) throw tokenizer_error(file.string() + " is missing", kPathHint);
  }
  return paths;
}

}  // namespace

VocabularyPaths find_vocabulary(const path& given) {
  std::error_code ignored;
  const bool in_directory = is_directory(given, ignored);
  const path directory = in_directory ? given : given.parent_path();
  for (const auto& [vocab, merges] : kFileNames) {
    const VocabularyPaths paths = {directory / vocab, directory / merges};
    const bool is_meant = in_directory ? is_file(paths.vocab) || is_file(paths.merges)
                                       : given.filename() == vocab || given.filename() == merges;
    if (is_meant) return require_both(paths);
  }
  const bool is_there = exists(given, ignored);
  throw tokenizer_error(given.string() + (is_there ? " holds no tokenizer" : " does not exist"),
                        kPathHint);
}

BpeVocabulary read_vocabulary(const VocabularyPaths& paths) {
  BpeVocabulary vocabulary;
  vocabulary.tokens = tokens_by_id(paths.vocab, read_entries(paths.vocab));
  const Ids ids = ids_by_token(vocabulary.tokens);
  check_single_bytes(paths.vocab, ids);
  vocabulary.end_of_text = find_end_of_text(paths.vocab, ids);
  vocabulary.merges = MergesReader(paths.merges, ids).read();
  check_merges_make_every_token(paths.merges, vocabulary);
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
