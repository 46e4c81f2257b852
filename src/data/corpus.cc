#include "data/corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/system_calls.h"
#include "data/token_source.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWhere = "data.list";
constexpr const char* kDefaultField = "text";
constexpr std::array<std::string_view, 3> kTextExtensions = {".txt", ".md", ".jsonl"};

bool is_hidden(const fs::path& path) { return path.filename().native().starts_with('.'); }

bool holds_text(const fs::directory_entry& entry) {
  std::error_code unreadable;
  return entry.is_regular_file(unreadable) &&
         std::ranges::count(kTextExtensions, entry.path().extension().native()) > 0;
}

// Lists the files in a folder and below it, in no particular order.
std::vector<std::string> files_below(const fs::path& folder) {
  std::vector<std::string> paths;
  try {
    for (fs::recursive_directory_iterator i(folder), end; i != end; ++i) {
      if (is_hidden(i->path())) {
        i.disable_recursion_pending();
      } else if (holds_text(*i)) {
        paths.push_back(i->path().string());
      }
    }
  } catch (const fs::filesystem_error& error) {
    // While iterating over a folder, the library does not report which path failed.
    const fs::path at = error.path1().empty() ? folder : error.path1();
    throw system_error(ErrorKind::kInput, kWhere, "list all of", at, error.code().value());
  }
  return paths;
}

CorpusFile corpus_file(const std::string& path) {
  if (is_token_shard(path)) {
    throw input_error(kWhere, path + " is a token shard, not text",
                      "name the text that it was made from");
  }
  std::error_code unknown;  // ignored: reading the file reports the reason
  const uintmax_t bytes = fs::file_size(path, unknown);
  return {path, unknown ? 0 : bytes};
}

void add_folder(const std::string& path, std::vector<CorpusFile>& files) {
  std::vector<std::string> found = files_below(path);
  if (found.empty()) {
    throw input_error(kWhere, fmt::format("the folder {} holds no .txt, .md or .jsonl file", path),
                      "name other files one by one");
  }
  std::ranges::sort(found);
  std::ranges::transform(found, std::back_inserter(files), corpus_file);
}

bool is_json_lines(const std::string& path, const CorpusFormat& format) {
  return !format.field.empty() || path.ends_with(".jsonl");
}

// Feeds a file to a cutter.
template <typename Cutter>
void cut_file(const std::string& path, Cutter cutter) {
  read_file_in_pieces(path, [&](std::span<const std::byte> piece) {
    cutter.push({reinterpret_cast<const char*>(piece.data()), piece.size()});
  });
  cutter.finish();
}

// The tokenizer would refuse the special token too, but cannot name the file. The token never lies
// across a cut, because it has no space.
void refuse_special_tokens(const TextBlock& block) {
  if (block.text.find(kEndOfText) == block.text.npos) return;
  throw input_error("data.encode", fmt::format("{} holds {}", block.origin, kEndOfText),
                    "say what it stands for with --special-tokens: ordinary (its characters) or "
                    "recognise (the token)");
}

EncodedBlock encode_text(const TextBlock& block, const Tokenizer& tokenizer, EncodeRules rules) {
  if (rules.special == SpecialTokens::kRefuse) refuse_special_tokens(block);
  EncodedBlock encoded;
  encoded.documents = std::ssize(block.begins);
  const auto append = [&](size_t begin, size_t end) {
    const std::vector<Token> ids =
        tokenizer.encode(std::string_view(block.text).substr(begin, end - begin), rules.special);
    encoded.tokens.insert(encoded.tokens.end(), ids.begin(), ids.end());
  };
  size_t begin = 0;
  for (const size_t next : block.begins) {
    append(begin, next);
    if (rules.end_of_text) encoded.tokens.push_back(tokenizer.end_of_text());
    begin = next;
  }
  append(begin, block.text.size());
  return encoded;
}

}  // namespace

std::vector<CorpusFile> list_corpus(const std::vector<std::string>& paths) {
  std::vector<CorpusFile> files;
  for (const std::string& path : paths) {
    if (path.empty()) throw input_error(kWhere, "an input has an empty name", "name a file");
    std::error_code unreadable;
    const fs::file_status status = fs::status(path, unreadable);
    if (status.type() == fs::file_type::not_found) {
      throw input_error(kWhere, "there is no file or folder " + path, "check the path");
    }
    if (fs::is_directory(status)) {
      add_folder(path, files);
    } else {
      files.push_back(corpus_file(path));
    }
  }
  return files;
}

void read_corpus(const std::vector<CorpusFile>& files, const CorpusFormat& format,
                 const std::function<void(CorpusBlock)>& visit) {
  for (const CorpusFile& file : files) {
    if (is_json_lines(file.path, format)) {
      cut_file(file.path, LineCutter(file.path, format.block_bytes, visit));
    } else {
      cut_file(file.path, TextCutter(file.path, format.documents, format.block_bytes, visit));
    }
  }
}

TextBlock text_of(const CorpusBlock& block, const CorpusFormat& format) {
  if (const auto* text = std::get_if<TextBlock>(&block)) return *text;
  const std::string field = format.field.empty() ? kDefaultField : format.field;
  return parse_json_lines(std::get<JsonLinesBlock>(block), field);
}

EncodedBlock encode_block(const CorpusBlock& block, const CorpusFormat& format,
                          const Tokenizer& tokenizer, EncodeRules rules) {
  const auto* text = std::get_if<TextBlock>(&block);
  if (text != nullptr) return encode_text(*text, tokenizer, rules);
  return encode_text(text_of(block, format), tokenizer, rules);
}

}  // namespace weft
