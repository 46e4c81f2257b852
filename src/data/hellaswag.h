// HellaSwag: the multiple-choice questions of Zellers et al. (arXiv 1905.07830), as tokens, in the
// format of llm.c's `hellaswag_val.bin`.
//
//   file       = header { example }
//   header     = 256 int32, little-endian: magic 20240522, version 1, number of examples, bytes of
//                the longest example, zeros
//   example    = 65535 bytes index label 4 context { completion }4      all of them uint16
//   bytes      = size of the whole example in bytes, with its marker 65535
//   index      = 0, 1, 2, ... in file order, modulo 65536
//   label      = the right completion: 0, 1, 2 or 3
//   context    = n, then n token ids                                    n >= 1
//   completion = n, then n token ids                                    n >= 1
//
// A first example with the context (7, 8), the completions (1), (2), (3), (4, 5) and the label 3:
//
//   65535 34 0 3 4   2 7 8   1 1  1 2  1 3  2 4 5                      17 numbers, 34 bytes
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/files.h"
#include "base/view.h"

namespace weft {

// Views into the mapped file.
struct HellaSwagExample {
  static constexpr int kCompletions = 4;

  Vector<const uint16_t> context;
  std::array<Vector<const uint16_t>, kCompletions> completions;
  int label = 0;  // the right completion
};

// A valid file that is mapped into memory. Movable.
class HellaSwag {
 public:
  // Throws Error (kInput) that names the path, the example and the reason.
  explicit HellaSwag(const std::filesystem::path& path);

  const std::vector<HellaSwagExample>& examples() const { return examples_; }

  // The largest id in the first n examples, to be checked against V.
  // REQUIRES: n <= examples().size().
  int64_t largest_token(size_t n) const;

 private:
  MappedFile file_;
  std::vector<HellaSwagExample> examples_;
};

// True if the file begins with the magic number; false if it cannot be read.
bool is_hellaswag(const std::filesystem::path& path);

}  // namespace weft
