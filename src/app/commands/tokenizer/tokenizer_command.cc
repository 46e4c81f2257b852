// `weft tokenizer train`: learns a tokenizer from text.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string_view>

#include "app/cli/executor_flags.h"
#include "app/cli/format.h"
#include "app/cli/live_line.h"
#include "app/cli/terminal.h"
#include "app/command_table.h"
#include "base/error.h"
#include "base/file_writer.h"
#include "base/paths.h"
#include "data/bpe_tokenizer.h"
#include "data/bpe_trainer.h"
#include "data/corpus.h"
#include "data/word_counts.h"
#include "exec/executor.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr const char* kTrainName = "tokenizer train";
constexpr int64_t kGpt2Length = 1024;  // GPT-2's T; the tokenizer of a checkpoint has its model's

struct TrainOptions {
  std::vector<std::string> inputs;
  std::string field;  // "": `text` of *.jsonl
  std::string out;
  BpeTraining training;
  int64_t threads = 0;
  bool force = false;
};

bool parse(const Arguments& arguments, TrainOptions& o) {
  Options flags(kTrainName,
                "Learns a byte-level BPE from text, as GPT-2's was made: --vocab-size tokens, the "
                "last of them <|endoftext|>.");
  flags.texts("INPUT", o.inputs, "PATH",
              "UTF-8 text files; JSON Lines (.jsonl); folders: all .txt, .md and .jsonl in them");
  flags.text("--field", o.field, "NAME",
             "Field of each JSON object that is its text; every input is JSON Lines then; text");
  Flag size = flags.integer("--vocab-size", o.training.vocabulary_size, {257, 65'536},
                            "Tokens, the 256 bytes and <|endoftext|> among them");
  Flag out = flags.text("--out", o.out, "DIR", "Directory for the tokenizer's files");
  flags.integer("--min-frequency", o.training.min_frequency, {1, int64_t{1} << 62},
                "How often neighbours must occur to become a token");
  add_threads_flag(flags, o.threads);
  flags.flag("--force", o.force, "Replace the tokenizer that --out holds");
  if (!flags.parse(arguments)) return false;
  if (o.inputs.empty()) throw flags.error("INPUT", "give text files, or folders of them");
  flags.require(size, "GPT-2's has 50257 tokens; small models do with a few thousand");
  flags.require(out, "name the directory to write the tokenizer to");
  if (o.threads == 0) o.threads = available_cpus();
  return true;
}

struct Words {
  std::vector<WordCount> counts;
  size_t bytes = 0;  // of the text
};

// Counts words document by document: no word crosses from one into the next.
void count_block(const TextBlock& block, WordCounter& counter) {
  std::string_view text = block.text;
  size_t begin = 0;
  for (const size_t next : block.begins) {
    counter.add(text.substr(begin, next - begin));
    counter.end_text();
    begin = next;
  }
  counter.add(text.substr(begin));
}

Words count_words(const TrainOptions& o, const std::vector<CorpusFile>& files, LiveLine& live) {
  CorpusFormat format;
  format.field = o.field;
  WordCounter counter(static_cast<int>(o.threads));
  size_t bytes = 0;
  read_corpus(files, format, [&](const CorpusBlock& block) {
    const TextBlock text = text_of(block, format);
    count_block(text, counter);
    bytes += text.bytes();
    live.show([&] {
      return fmt::format("{} read; now {}", format_bytes(bytes), single_line(text.origin));
    });
  });
  if (bytes == 0) throw input_error(kTrainName, "the text is empty", "give text to learn from");
  return {counter.finish(), bytes};
}

// Each file appears whole or not at all. tokenizer.json comes last, so that its presence means that
// all files are there.
void write_tokenizer(const fs::path& directory, BpeVocabulary vocabulary) {
  const std::unique_ptr<Tokenizer> tokenizer = make_bpe_tokenizer(std::move(vocabulary));
  auto files = tokenizer->files(kGpt2Length);
  std::stable_partition(files.begin(), files.end(),
                        [](const auto& file) { return file.first != "tokenizer.json"; });
  for (const auto& [name, content] : files) {
    AtomicFile file(directory / name);
    file.append(content.data(), content.size());
    file.finish();
  }
}

// Refuses to replace the tokenizer of a model, which is of no use without it.
void refuse_to_replace(const std::string& directory) {
  if (!names_tokenizer(directory)) return;
  throw input_error(kTrainName, fmt::format("--out: {} holds a tokenizer already", directory),
                    "choose another --out, or give --force to replace it");
}

void make_directory(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (directory_exists(path)) return;
  throw input_error(kTrainName,
                    fmt::format("--out: cannot make the directory {}: {}", path, error.message()),
                    "choose another --out");
}

void report(const TrainOptions& o, const Words& words, int64_t tokens, Clock::duration duration,
            Terminal& terminal) {
  const double seconds = std::chrono::duration<double>(duration).count();
  if (tokens < o.training.vocabulary_size) {
    terminal.line(fmt::format(
        "note: the text yields {} tokens, not {}: no other neighbours occur {} times or more",
        format_count(tokens), format_count(o.training.vocabulary_size),
        format_count(o.training.min_frequency)));
  }
  terminal.line(fmt::format("{}: {} tokens, from {} of text with {} distinct words, in {:.1f} s",
                            o.out, format_count(tokens), format_bytes(words.bytes),
                            format_count(std::ssize(words.counts)), seconds));
}

int train(const Arguments& arguments) {
  TrainOptions o;
  if (!parse(arguments, o)) return 0;
  const std::vector<CorpusFile> files = list_corpus(o.inputs);
  if (!o.force) refuse_to_replace(o.out);
  make_directory(o.out);
  const Clock::time_point start = Clock::now();
  Terminal terminal;
  LiveLine live(terminal);
  const Words words = count_words(o, files, live);
  BpeVocabulary vocabulary = train_bpe(words.counts, o.training, [&](int64_t tokens) {
    live.show([&] {
      return fmt::format("{} distinct words; {} of {} tokens",
                         format_count(std::ssize(words.counts)), format_count(tokens),
                         format_count(o.training.vocabulary_size));
    });
  });
  const int64_t tokens = std::ssize(vocabulary.tokens);
  write_tokenizer(o.out, std::move(vocabulary));
  report(o, words, tokens, Clock::now() - start, terminal);
  return 0;
}

constexpr const char* kHelp =
    "weft tokenizer: makes tokenizers\n\n"
    "Usage: weft tokenizer COMMAND [FLAGS]\n\nCommands:\n"
    "  train   Learn a byte-level BPE, of the kind that GPT-2 has, from text\n\n"
    "  weft tokenizer train --help   lists its flags\n\n"
    "For example, to learn 8,192 tokens from a text and to train a model with them:\n"
    "  weft tokenizer train my.txt --vocab-size 8192 --out my_tokenizer\n"
    "  weft train --data my.txt --tokenizer my_tokenizer --model d6 --out runs/my\n";

}  // namespace

int tokenizer_command(const Arguments& arguments) {
  if (arguments.empty()) {
    throw input_error("tokenizer", "a command is missing", "weft tokenizer --help lists them");
  }
  const std::string& first = arguments.front();
  if (first == "train") return train({arguments.begin() + 1, arguments.end()});
  if (first == "--help" || first == "-h" || first == "help") {
    std::fputs(kHelp, stdout);
    return 0;
  }
  const std::string names[] = {"train", "--help"};
  throw input_error(
      "tokenizer", fmt::format("unknown {} {}", first.starts_with('-') ? "flag" : "command", first),
      fmt::format("did you mean {}?", nearest_name(first, names)));
}

}  // namespace weft
