#include "run/token_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file_writer.h"
#include "base/math.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWhere = "data.write";
constexpr size_t kDigits = 6;
constexpr int64_t kMostFiles = 1'000'000;  // that the digits can number

fs::path numbered(const TokenTarget& target, int64_t i) {
  fs::path path = target.path;
  return path.replace_filename(fmt::format("{}_{:0{}}{}", target.path.stem().string(), i, kDigits,
                                           target.path.extension().string()));
}

bool is_numbered_name(const TokenTarget& target, std::string_view name) {
  const std::string begin = target.path.stem().string() + "_";
  const std::string end = target.path.extension().string();
  if (name.size() != begin.size() + kDigits + end.size()) return false;
  const std::string_view digits = name.substr(begin.size(), kDigits);
  return name.starts_with(begin) && name.ends_with(end) &&
         digits.find_first_not_of("0123456789") == digits.npos;
}

fs::path directory_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

void remove_files(const std::vector<fs::path>& paths) {
  for (const fs::path& path : paths) {
    std::error_code error;
    fs::remove(path, error);
    if (error) {
      throw failure(kWhere, fmt::format("cannot remove {}: {}", path.string(), error.message()));
    }
  }
}

// The files that this many tokens fill.
std::vector<TokenFile> plan_files(const TokenTarget& target, int64_t tokens) {
  if (tokens <= 0) {
    throw input_error(kWhere, fmt::format("no tokens to write to {}", target.path.string()),
                      "give more text or another --val-fraction");
  }
  const bool one = target.format == TokenFormat::kRawU16 || tokens <= target.shard_tokens;
  if (one) return {{target.path, tokens}};
  const int64_t n = ceil_div(tokens, target.shard_tokens);
  if (n > kMostFiles) {
    throw input_error(kWhere, fmt::format("{} tokens would fill {} files", tokens, n),
                      "use a larger --shard-tokens");
  }
  std::vector<TokenFile> files;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t left = tokens - i * target.shard_tokens;
    files.push_back({numbered(target, i), std::min(left, target.shard_tokens)});
  }
  return files;
}

// Files that have been written; the destructor removes them unless keep() was called.
class WrittenFiles {
 public:
  WrittenFiles() = default;
  ~WrittenFiles() {
    std::error_code ignored;  // a destructor cannot report errors
    for (const fs::path& path : paths_) fs::remove(path, ignored);
  }
  WrittenFiles(const WrittenFiles&) = delete;
  WrittenFiles& operator=(const WrittenFiles&) = delete;

  void add(const fs::path& path) { paths_.push_back(path); }
  void keep() { paths_.clear(); }

 private:
  std::vector<fs::path> paths_;
};

// Fills one file after the other.
class FileSequence {
 public:
  // progressed may be null; it is called before each file, of which a few tokens may fill many.
  FileSequence(const std::vector<TokenFile>& files, TokenFormat format,
               const std::function<void()>& progressed)
      : next_(files.begin()), end_(files.end()), format_(format), progressed_(progressed) {}

  void append(Vector<const Token> tokens) {
    while (!tokens.empty()) {
      if (!file_) open_next();
      const size_t n = std::min(tokens.size(), static_cast<size_t>(missing_));
      file_->append(tokens.data(), n * sizeof(Token));
      missing_ -= static_cast<int64_t>(n);
      tokens = tokens.subspan(n);
      if (missing_ == 0) close();
    }
  }

  // REQUIRES: all files have all their tokens.
  void keep() {
    require(!file_ && next_ == end_, "every file got its tokens");
    written_.keep();
  }

 private:
  void open_next() {
    require(next_ != end_, "there is a file for every token");
    if (progressed_) progressed_();
    file_.emplace(next_->path);
    missing_ = next_->tokens;
    if (format_ == TokenFormat::kRawU16) return;
    const LlmcHeader header = shard_header(static_cast<size_t>(missing_));
    file_->append(header.data(), sizeof header);
  }

  void close() {
    file_->finish();
    file_.reset();
    written_.add(next_->path);
    ++next_;
  }

  std::vector<TokenFile>::const_iterator next_, end_;
  TokenFormat format_;
  const std::function<void()>& progressed_;
  std::optional<AtomicFile> file_;
  int64_t missing_ = 0;  // tokens that file_ still lacks
  WrittenFiles written_;
};

// A file under the plain name that the numbered ones replace.
std::vector<fs::path> replaced_files(const TokenTarget& target,
                                     const std::vector<TokenFile>& files) {
  if (files.front().path == target.path) return {};
  return {target.path};
}

}  // namespace

TokenSpool::TokenSpool(const fs::path& path)
    : path_(path.string() + ".tokens.partial"), writer_(path_) {}

TokenSpool::~TokenSpool() {
  std::error_code ignored;  // a destructor cannot report errors
  fs::remove(path_, ignored);
}

void TokenSpool::append(Vector<const Token> tokens) {
  writer_.append(tokens.data(), tokens.size_bytes());
  tokens_ += std::ssize(tokens);
}

// Through a buffer, not mapped: the pages of a map would count as the process's memory.
void TokenSpool::read(const std::function<void(Vector<const Token>)>& visit) const {
  read_file_in_pieces(path_, [&](std::span<const std::byte> piece) {
    require(piece.size() % sizeof(Token) == 0, "pieces of a file hold whole tokens");
    visit({reinterpret_cast<const Token*>(piece.data()), piece.size() / sizeof(Token)});
  });
}

std::vector<fs::path> numbered_files(const TokenTarget& target) {
  std::vector<fs::path> files;
  std::error_code unreadable;  // writing there will report the error
  for (const auto& entry : fs::directory_iterator(directory_of(target.path), unreadable)) {
    const fs::path name = entry.path().filename();
    if (is_numbered_name(target, name.native())) {
      files.push_back(fs::path(target.path).replace_filename(name));
    }
  }
  std::ranges::sort(files);
  return files;
}

bool names_part_of(const TokenTarget& target, const fs::path& path) {
  std::error_code missing;  // a missing directory equals no other
  if (!fs::equivalent(directory_of(target.path), directory_of(path), missing)) return false;
  return path.filename() == target.path.filename() ||
         is_numbered_name(target, path.filename().native());
}

std::vector<TokenFile> write_token_files(const TokenSpool& spool, const TokenTarget& train,
                                         const std::optional<TokenTarget>& val, int64_t held_out,
                                         const std::function<void()>& progressed) {
  const std::vector<TokenFile> train_files = plan_files(train, spool.tokens() - held_out);
  const std::vector<TokenFile> val_files =
      val ? plan_files(*val, held_out) : std::vector<TokenFile>();
  remove_files(numbered_files(train));
  if (val) remove_files(numbered_files(*val));

  FileSequence to_train(train_files, train.format, progressed);
  FileSequence to_val(val_files, val ? val->format : train.format, progressed);
  int64_t left = spool.tokens() - held_out;  // for train
  spool.read([&](Vector<const Token> tokens) {
    const auto n = static_cast<size_t>(std::min(left, std::ssize(tokens)));
    to_train.append(tokens.first(n));
    to_val.append(tokens.subspan(n));
    left -= static_cast<int64_t>(n);
    if (progressed) progressed();
  });
  to_train.keep();
  to_val.keep();
  remove_files(replaced_files(train, train_files));
  if (val) remove_files(replaced_files(*val, val_files));

  std::vector<TokenFile> written = train_files;
  written.insert(written.end(), val_files.begin(), val_files.end());
  return written;
}

}  // namespace weft
