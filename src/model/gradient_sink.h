// GradientSink: backward calls it where a gradient is complete.
#pragma once

#include <cstddef>

#include "model/epilogue.h"

namespace weft {

// Appends what follows a complete gradient, such as its share of the norm, the update or a message.
// Parameters are named by their index in the table.
class GradientSink {
 public:
  virtual ~GradientSink() = default;

  // For the weight of a linear layer: rides on the op that completes a tile of its gradient.
  virtual Epilogue on_tile(size_t parameter) = 0;

  // For every other parameter: its gradient is complete after the ops appended so far.
  virtual void on_parameter(size_t parameter) = 0;

  // Whether the sink itself adds the rows of dencoded to the rows of wte's gradient that belong to
  // their tokens. The classifier's share of that gradient then is complete before backward begins.
  virtual bool takes_token_rows() const { return false; }
};

}  // namespace weft
