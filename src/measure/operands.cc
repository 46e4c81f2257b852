#include "measure/operands.h"

#include <algorithm>

#include "base/error.h"
#include "base/rng.h"

namespace weft {
namespace {

constexpr uint64_t kSeed = 42;
constexpr size_t kAlignment = 64;
constexpr size_t kChunkBytes = size_t{1} << 22;

// Values are drawn once and copied from. Their number is prime, so that no two rows of a matrix are
// alike.
constexpr size_t kNormals = 65'537;

// The size of the scratch of a call; no op needs as much.
constexpr size_t kScratchBytes = size_t{1} << 23;

}  // namespace

Operands::Operands() : normals_(kNormals) {
  for (size_t i = 0; i < kNormals; ++i) {
    normals_[i] = static_cast<float>(random_normal(kSeed, 0, i));
  }
}

Vector<float> Operands::vector(int64_t n) {
  const size_t size = static_cast<size_t>(n);
  const Vector<float> values(reinterpret_cast<float*>(allocate(size * sizeof(float))), size);
  fill(values);
  return values;
}

Matrix<float> Operands::matrix(int64_t rows, int64_t cols) {
  return {vector(rows * cols).data(), rows, cols};
}

Matrix<float> Operands::columns(int64_t rows, int64_t cols, int64_t stride) {
  const bool fits =
      striped_.rows == rows && striped_.cols == stride && next_column_ + cols <= stride;
  if (!fits) {
    striped_ = matrix(rows, stride);
    next_column_ = 0;
  }
  next_column_ += cols;
  return striped_.col_block(next_column_ - cols, cols);
}

Vector<int32_t> Operands::indices(int64_t n, int64_t limit) {
  const size_t size = static_cast<size_t>(n);
  const Vector<int32_t> values(reinterpret_cast<int32_t*>(allocate(size * sizeof(int32_t))), size);
  for (int32_t& value : values) {
    const uint64_t random = random_u64(kSeed, 1, next_normal_++);
    value = static_cast<int32_t>(random % static_cast<uint64_t>(limit));
  }
  return values;
}

Matrix<float> Operands::shared(const std::string& name, int64_t rows, int64_t cols) {
  const auto known = shared_.find(name);
  if (known != shared_.end()) return known->second;
  return shared_[name] = matrix(rows, cols);
}

std::byte* Operands::scratch(size_t bytes) {
  require(bytes <= kScratchBytes, "a kernel's scratch is small");
  if (scratch_ == nullptr) scratch_ = arena_.allocate_bytes(kScratchBytes);
  return scratch_;
}

std::byte* Operands::allocate(size_t bytes) {
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (rounded > free_bytes_) {
    free_bytes_ = std::max(rounded, kChunkBytes);
    free_ = arena_.allocate_bytes(free_bytes_);
  }
  bytes_ += rounded;
  free_bytes_ -= rounded;
  free_ += rounded;
  return free_ - rounded;
}

void Operands::fill(Vector<float> values) {
  while (!values.empty()) {
    next_normal_ %= kNormals;
    const size_t n = std::min(values.size(), kNormals - next_normal_);
    std::copy_n(normals_.begin() + static_cast<std::ptrdiff_t>(next_normal_), n, values.begin());
    next_normal_ += n;
    values = values.subspan(n);
  }
}

}  // namespace weft
