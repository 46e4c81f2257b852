#include "formats/model_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/files.h"

namespace weft {
namespace {

constexpr size_t kPiece = size_t{1} << 20;  // elements decoded before their pages are released

bool is_not_finite(float value) { return !std::isfinite(value); }

}  // namespace

ParameterValues values_of(const ParameterView& weights) {
  return [weights](const Parameter& p) { return Vector<const float>(weights.vector(p)); };
}

void NonFiniteWeights::add(const Parameter& p, Vector<const float> values) {
  const int64_t found = std::ranges::count_if(values, is_not_finite);
  if (found > 0 && count == 0) {
    const auto place = std::ranges::find_if(values, is_not_finite) - values.begin();
    first = fmt::format("{}[{}]", p.name, place);
  }
  weights += std::ssize(values);
  count += found;
}

std::string NonFiniteWeights::message() const {
  return fmt::format("{} of {} weights are not finite (first: {})", count, weights, first);
}

NonFiniteWeights read_all(const ModelReader& reader, const ParameterView& weights) {
  const Config& stored = reader.table().config();
  const Config& wanted = weights.table->config();
  if (stored != wanted) {
    throw input_error("model.read",
                      fmt::format("{}: its model is {}, not {}", reader.files().front().string(),
                                  to_string(stored), to_string(wanted)));
  }
  NonFiniteWeights broken;
  for (const Parameter& p : weights.table->all()) {
    const Vector<float> values = weights.vector(p);
    reader.read(p, values);
    broken.add(p, values);
  }
  return broken;
}

void decode_mapped(DType dtype, std::span<const std::byte> bytes, Vector<float> out) {
  const size_t element_bytes = static_cast<size_t>(dtype_bits(dtype)) / 8;
  for (size_t i = 0; i < out.size(); i += kPiece) {
    const size_t n = std::min(kPiece, out.size() - i);
    decode_floats(dtype, bytes.subspan(i * element_bytes, n * element_bytes), out.subspan(i, n));
    // From the first byte on, because a page fault also maps its neighbours, which may have been
    // released before.
    release_mapped(bytes.first((i + n) * element_bytes));
  }
}

}  // namespace weft
