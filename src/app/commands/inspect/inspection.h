// Inspection: the kind of a file or directory, its sizes, and whether it is whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace weft {

struct Fact {
  std::string name;  // "largest token id"
  std::string json;  // the value for programs, as JSON
  std::string text;  // the value for people
};

struct Inspection {
  std::string kind;  // "token shard"
  std::vector<Fact> facts = {};
  std::string flaw = {};                // the reason why it is not whole; empty if it is
  std::string doubt = {};               // the reason why this cannot be known; empty if it is known
  std::vector<std::string> notes = {};  // oddities that leave it whole

  void add(const std::string& name, const std::string& text);
  void add_count(const std::string& name, int64_t n);
  void add_bytes(const std::string& name, size_t bytes);
};

// Recognises files by their content where the format allows it, and reads all of a file: its
// checksums, and every tensor of a model. Throws Error (kInput) with the reason where the path
// holds nothing that weft knows, or something that is not whole. Where facts can still be given,
// the result holds the flaw instead.
Inspection inspect(const std::filesystem::path& path);

}  // namespace weft
