#include <array>

#include "formats/hf_formats.h"
#include "formats/llmc_model.h"
#include "formats/model_format.h"

namespace weft {

std::span<const ModelFormat* const> model_formats() {
  static const std::array<const ModelFormat*, 3> formats = {
      &llmc_format(),
      &safetensors_format(),
      &hf_directory_format(),
  };
  return formats;
}

const ModelFormat* find_file_format(const std::filesystem::path& file) {
  for (const ModelFormat* format : model_formats()) {
    if (!format->is_directory() && file.extension() == format->extension()) return format;
  }
  return nullptr;
}

const ModelFormat& directory_format() { return hf_directory_format(); }

}  // namespace weft
