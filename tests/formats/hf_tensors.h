// Models as Hugging Face stores them, to be changed before they are written.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/hf_model.h"
#include "formats/safetensors.h"
#include "formats/test_model.h"
#include "support/error_of.h"
#include "support/temp_directory.h"

namespace weft {

inline constexpr Config kTiny = {.L = 2, .NH = 1, .C = 2, .T = 3, .V = 5};

struct HfTensor {
  DType dtype;
  std::vector<int64_t> shape;
  std::string bytes;
};
using HfTensors = std::map<std::string, HfTensor>;

inline std::string fp32(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

inline HfTensor tensor(const std::vector<int64_t>& shape, const std::vector<float>& values) {
  return {DType::F32, shape, fp32(values)};
}

// What weft writes for the filled tiny model, with `prefix` before every name.
inline HfTensors tiny_tensors(const std::string& prefix) {
  constexpr std::string_view kWritten = "transformer.";
  const TempDirectory dir;
  write_hf_weights(dir / "tiny", filled_model(kTiny).view());
  const SafetensorsFile file(dir / "tiny");
  HfTensors tensors;
  for (const StoredTensor& t : file.tensors()) {
    tensors[prefix + t.name.substr(kWritten.size())] = {
        t.dtype, t.shape, {reinterpret_cast<const char*>(t.bytes.data()), t.bytes.size()}};
  }
  return tensors;
}

inline std::filesystem::path write(const std::filesystem::path& path, const HfTensors& tensors) {
  std::vector<TensorSpec> specs;
  for (const auto& [name, t] : tensors) specs.push_back({name, t.dtype, t.shape});
  SafetensorsWriter writer(path, specs);
  for (const TensorSpec& spec : writer.tensors()) {
    const std::string& bytes = tensors.at(spec.name).bytes;
    writer.append(bytes.data(), bytes.size());
  }
  writer.finish();
  return path;
}

inline std::string read_error(const std::filesystem::path& path) {
  TestModel model(kTiny);
  return error_of([&] { read_hf_weights(path, model.view()); });
}

inline std::string tensors_error(const HfTensors& tensors) {
  const TempDirectory dir;
  return read_error(write(dir / "model.safetensors", tensors));
}

inline void expect_reads_tiny_weights(const std::filesystem::path& path) {
  TestModel expected = filled_model(kTiny);
  TestModel model(kTiny);

  read_hf_weights(path, model.view());

  expect_equal_weights(model, expected);
}

}  // namespace weft
