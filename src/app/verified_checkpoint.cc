#include "app/verified_checkpoint.h"

#include <fmt/format.h>

#include <string>

#include "base/error.h"
#include "formats/checksum.h"
#include "formats/json.h"

namespace weft {
namespace {

constexpr const char* kWhere = "inspect";

void verify_checksums(const std::filesystem::path& checkpoint, const nlohmann::json& state) {
  if (!state.contains("checksums") || !state["checksums"].is_object()) {
    throw input_error(kWhere, (checkpoint / "state.json").string() + " holds no checksums");
  }
  for (const auto& [name, recorded] : state["checksums"].items()) {
    if (std::filesystem::path(name).has_parent_path() ||
        file_checksum(checkpoint / name) != recorded) {
      throw input_error(kWhere,
                        fmt::format("{} is not the file that was saved: its checksum differs",
                                    (checkpoint / name).string()),
                        "use an older checkpoint; --resume does so by itself");
    }
  }
}

int64_t number_of(const nlohmann::json& state, const char* key) {
  const auto value = state.find(key);
  if (value == state.end() || !value->is_number_integer()) {
    throw input_error(kWhere, fmt::format("state.json holds no {}", key));
  }
  return value->get<int64_t>();
}

}  // namespace

VerifiedCheckpoint verified_checkpoint(const std::filesystem::path& checkpoint) {
  const nlohmann::json state = read_json_object(checkpoint / "state.json", kWhere);
  verify_checksums(checkpoint, state);
  return {number_of(state, "step"), number_of(state, "tokens")};
}

}  // namespace weft
