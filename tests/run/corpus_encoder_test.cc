#include "run/corpus_encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "data/small_vocabulary.h"
#include "data/stories.h"
#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

class EncodeCorpus : public testing::Test {
 protected:
  std::vector<Token> encode(const std::vector<std::string>& paths, EndOfText end_of_text,
                            const CorpusFormat& format = {}, int threads = 2,
                            const std::string& executor = "fork-join") const {
    std::vector<Token> tokens;
    done_ =
        encode_corpus(list_corpus(paths), format, *tokenizer_, {.end_of_text = end_of_text},
                      *make_executor(executor, threads), {.write = [&](Vector<const Token> part) {
                        tokens.insert(tokens.end(), part.begin(), part.end());
                      }});
    return tokens;
  }

  std::string write(std::string_view name, std::string_view bytes) const {
    return dir_.write(name, bytes).string();
  }

  std::vector<Token> bytes(std::string_view text) const {  // `|` is end of text
    std::vector<Token> tokens = make_byte_tokenizer()->encode(text);
    std::ranges::replace(tokens, Token{'|'}, Token{256});
    return tokens;
  }

  TempDirectory dir_;
  std::unique_ptr<Tokenizer> tokenizer_ = make_byte_tokenizer();
  mutable EncodeProgress done_;
};

TEST_F(EncodeCorpus, GivesTheIdsOfTheWholeForEveryThreadCountAndBlockSize) {
  SmallVocabulary().write(dir_);
  tokenizer_ = open_tokenizer(dir_.path());
  const std::string text = write_stories(3000, 3) + "hello world hello  world\n\n hello";
  const std::string path = write("text.txt", text);
  const std::vector<Token> whole = tokenizer_->encode(text);

  for (const char* executor : {"sequential", "fork-join", "tasks"}) {
    for (const int threads : {1, 2, 7}) {
      for (const size_t block_bytes : {1, 2, 3, 7, 64, 1000, 1 << 20}) {
        const CorpusFormat format{.block_bytes = block_bytes};
        ASSERT_EQ(encode({path}, EndOfText::kNone, format, threads, executor), whole)
            << executor << ", " << threads << " threads, " << block_bytes << " bytes";
      }
    }
  }
}

TEST_F(EncodeCorpus, PutsEndOfTextWhereAsked) {
  const std::vector<std::string> paths = {write("a.txt", "a"), write("none.txt", ""),
                                          write("b.txt", "bc")};

  for (const size_t block_bytes : {1, 100}) {
    const CorpusFormat format{.block_bytes = block_bytes};
    EXPECT_EQ(encode(paths, EndOfText::kBefore, format), bytes("|a|bc"));
    EXPECT_EQ(encode(paths, EndOfText::kAfter, format), bytes("a|bc|"));
    EXPECT_EQ(encode(paths, EndOfText::kNone, format), bytes("abc"));
    EXPECT_EQ(done_.documents, 2);
    EXPECT_EQ(done_.bytes, 3u);
  }
}

TEST_F(EncodeCorpus, OfNothingIsNothing) {
  for (const EndOfText where : {EndOfText::kBefore, EndOfText::kAfter, EndOfText::kNone}) {
    EXPECT_TRUE(encode({write("none.txt", "")}, where).empty());
    EXPECT_EQ(done_.documents, 0);
  }
}

TEST_F(EncodeCorpus, NamesTheFirstLineThatIsMalformedWhateverTheThreads) {
  std::string lines;
  for (int i = 1; i <= 500; ++i) {
    lines += i == 123 || i == 124 ? "{\"text\": 1}\n" : "{\"text\": \"words\"}\n";
  }
  const std::string path = write("bad.jsonl", lines);

  for (const int threads : {1, 2, 7}) {
    const auto call = [&] { encode({path}, EndOfText::kBefore, {.block_bytes = 30}, threads); };
    EXPECT_TRUE(mentions(error_of(call), {"bad.jsonl, line 123 ", "no string"})) << threads;
  }
}

TEST_F(EncodeCorpus, TellsProgressThatOnlyGrows) {
  const std::string path = write("text.txt", write_stories(20000, 1));
  std::vector<uintmax_t> seen;
  const EncodeCallbacks callbacks = {
      .write = [](Vector<const Token>) {},
      .progressed = [&](const EncodeProgress& done) { seen.push_back(done.bytes); }};

  encode_corpus(list_corpus({path}), {.block_bytes = 100}, *tokenizer_, {},
                *make_executor("fork-join", 2), callbacks);

  EXPECT_GT(seen.size(), 3u);
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  EXPECT_EQ(seen.back(), std::filesystem::file_size(path));
}

TEST_F(EncodeCorpus, EndsWithWhatACallbackThrows) {
  const std::string path = write("text.txt", write_stories(20000, 1));
  const EncodeCallbacks callbacks = {
      .write = [](Vector<const Token>) {},
      .progressed = [](const EncodeProgress&) { throw std::runtime_error("enough"); }};

  EXPECT_THROW(encode_corpus(list_corpus({path}), {.block_bytes = 100}, *tokenizer_, {},
                             *make_executor("fork-join", 2), callbacks),
               std::runtime_error);
}

// llm.c's dev/data/tinyshakespeare.py makes 338,028 tokens: the ids of the text, 7,222 ends of
// text, and different pieces where the sections meet.
TEST_F(EncodeCorpus, MakesLlmcsTinyshakespeare) {
  const char* data = std::getenv("WEFT_SHARED_DATA");
  if (data == nullptr) GTEST_SKIP() << "WEFT_SHARED_DATA is not set";
  tokenizer_ = open_tokenizer(std::string(data) + "/gpt2_bpe");
  const CorpusFormat format{.documents = {"\n\n", true}, .block_bytes = 10000};

  const std::vector<Token> tokens =
      encode({std::string(data) + "/tinyshakespeare.txt"}, EndOfText::kBefore, format);

  EXPECT_EQ(tokens.size(), 338028u);
  EXPECT_EQ(std::ranges::count(tokens, tokenizer_->end_of_text()), 7222);
}

}  // namespace
}  // namespace weft
