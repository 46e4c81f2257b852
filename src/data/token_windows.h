// TokenWindows: a stream cut into overlapping windows so that every token but the first is
// predicted exactly once, however the stream divides.
#pragma once

#include <cstdint>

#include "base/math.h"

namespace weft {

// T predictions: token begin + t + 1 from the tokens [begin, begin + t], for t in [0, T). The
// predictions from first_scored on are scored; those before were scored by an earlier window and
// serve as context.
struct TokenWindow {
  int64_t begin = 0;
  int64_t first_scored = 0;
};

// The first window scores all of its T predictions and each later one its last `stride`, so that
// they have at least T - stride tokens of context. The last window ends at the last token and
// scores what is left. With stride = T the windows touch, and no prediction has context of another
// window.
//
// Seven predictions with T = 4, stride = 2 (s: scored, c: context):
//
//   s s s s . . .
//   . . c c s s .
//   . . . c c c s
class TokenWindows {
 public:
  // REQUIRES: tokens > T >= stride >= 1.
  TokenWindows(int64_t tokens, int64_t T, int64_t stride)
      : predictions_(tokens - 1), T_(T), stride_(stride) {}

  int64_t count() const { return 1 + ceil_div(predictions_ - T_, stride_); }

  // REQUIRES: 0 <= i < count().
  TokenWindow operator[](int64_t i) const {
    if (i == 0) return {};
    const int64_t begin = i * stride_;
    const int64_t scored = begin - stride_ + T_;  // where the previous window ended
    const int64_t shifted = begin + T_ <= predictions_ ? begin : predictions_ - T_;
    return {shifted, scored - shifted};
  }

 private:
  int64_t predictions_, T_, stride_;
};

}  // namespace weft
