// Inspection: what a file or directory is, its sizes, and whether it is whole.
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
  std::string flaw = {};   // why it is not whole; empty if it is
  std::string doubt = {};  // why nobody can tell whether it is whole; empty if weft can
  std::vector<std::string> notes = {};  // what is odd and still whole

  void add(const std::string& name, const std::string& text);
  void add_count(const std::string& name, int64_t n);
  void add_bytes(const std::string& name, size_t bytes);
};

// Recognises by content where a file's format allows it, and reads all of it: checksums where there
// are some, and every tensor of a model.
// Throws Error (kInput) with the reason where the path holds nothing that weft knows, or where what
// it holds is not whole; a flaw that leaves something to tell is in the result.
Inspection inspect(const std::filesystem::path& path);

}  // namespace weft
