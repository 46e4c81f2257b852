// ModelReader: a stored model whose parameters are read one at a time, so that a model larger than
// memory can be copied.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "formats/dtype.h"
#include "model/parameters.h"

namespace weft {

// A model that has been checked: every parameter is there, with its shape, and nothing else.
// Not thread-safe.
class ModelReader {
 public:
  virtual ~ModelReader() = default;
  ModelReader(const ModelReader&) = delete;
  ModelReader& operator=(const ModelReader&) = delete;

  const ParameterTable& table() const { return table_; }

  // The element types that the weights are stored in.
  virtual std::set<DType> dtypes() const = 0;
  // The files that hold the weights.
  virtual std::vector<std::filesystem::path> files() const = 0;

  // values (p.size()) = the parameter. Padded rows of wte become zero, whatever the file holds.
  // REQUIRES: p is from a table of the same config.
  virtual void read(const Parameter& p, Vector<float> values) const = 0;

 protected:
  explicit ModelReader(const Config& config) : table_(config) {}

 private:
  ParameterTable table_;
};

// Returns the values of one parameter (p.size()), which stay valid until the next call. Writers
// call it once for each parameter.
using ParameterValues = std::function<Vector<const float>(const Parameter&)>;

ParameterValues values_of(const ParameterView& weights);

// Counts weights that are NaN or infinite. They are worth a warning and no error: the user may want
// to look at a run that diverged.
struct NonFiniteWeights {
  int64_t weights = 0;  // checked
  int64_t count = 0;    // not finite
  std::string first;    // "block3/fcw[17]"; empty if there is none

  void add(const Parameter& p, Vector<const float> values);
  // "3 of 124475904 weights are not finite (first: block3/fcw[17])". REQUIRES: count > 0.
  std::string message() const;
};

// Reads every parameter. Throws Error (kInput) if the model is not that of weights.table.
NonFiniteWeights read_all(const ModelReader& reader, const ParameterView& weights);

// decode_floats for bytes of a mapped file, whose pages do not stay in memory.
// REQUIRES: as decode_floats, and bytes are part of a MappedFile.
void decode_mapped(DType dtype, std::span<const std::byte> bytes, Vector<float> out);

}  // namespace weft
