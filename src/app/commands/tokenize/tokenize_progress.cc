#include "app/commands/tokenize/tokenize_progress.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/cli/format.h"

namespace weft {
namespace {

double megabytes_per_s(uintmax_t bytes, double elapsed_s) {
  return 1e-6 * static_cast<double>(bytes) / elapsed_s;
}

}  // namespace

std::string tokenize_line(uintmax_t bytes, uintmax_t total, double elapsed_s) {
  const uintmax_t left = total - std::min(bytes, total);
  const double share =
      static_cast<double>(left) / static_cast<double>(std::max(bytes, uintmax_t{1}));
  return fmt::format("{} of {}  {:.1f} MB/s  eta {}", format_bytes(bytes), format_bytes(total),
                     megabytes_per_s(bytes, elapsed_s), format_duration(elapsed_s * share));
}

double TokenizeProgress::elapsed_s() const {
  const std::chrono::duration<double> elapsed = Clock::now() - start_;
  return std::max(elapsed.count(), 1e-9);  // a clock may stand still
}

void TokenizeProgress::reached(uintmax_t bytes) {
  live_.show([&] { return tokenize_line(bytes, total_, elapsed_s()); });
}

void TokenizeProgress::finish(uintmax_t bytes) {
  const double elapsed = elapsed_s();
  terminal_.line(fmt::format("read {} in {}: {:.1f} MB/s", format_bytes(bytes),
                             format_duration(elapsed), megabytes_per_s(bytes, elapsed)));
}

}  // namespace weft
