// The gradient sinks of a step whose gradients are not sent to other ranks during backward.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "model/gradient_sink.h"
#include "optim/gradient_norm.h"
#include "optim/parameter_update.h"
#include "program/program.h"

namespace weft {

// In the last micro-step: adds every gradient to the norm and, unless updates are deferred, appends
// the parameter's update. REQUIRES: all of it outlives the sink.
class UpdateSink : public GradientSink {
 public:
  UpdateSink(Program& program, const GradientNorm& norm, const ParameterUpdate& update, bool defers)
      : program_(program), norm_(norm), update_(update), defers_(defers) {}

  Epilogue on_tile(size_t parameter) override {
    if (!defers_ && !update_.updates_by_tile()) incomplete_.push_back(parameter);
    return update_.on_tile(parameter);
  }

  // The ops of a linear layer's bias gradient are those of its weight's, which is complete as well.
  void on_parameter(size_t parameter) override {
    norm_.append_partials(program_, parameter);
    if (defers_) return;
    for (const size_t weight : std::exchange(incomplete_, {})) update_.append(program_, weight);
    update_.append(program_, parameter);
  }

 private:
  Program& program_;
  const GradientNorm& norm_;
  const ParameterUpdate& update_;
  bool defers_;
  std::vector<size_t> incomplete_;  // matrices whose tiles are not all complete
};

// Leaves gradients where they are: later micro-batches add to them, or an exchange follows that
// does not overlap with backward.
class DiscardSink : public GradientSink {
 public:
  explicit DiscardSink(bool takes_token_rows) : takes_token_rows_(takes_token_rows) {}

  bool takes_token_rows() const override { return takes_token_rows_; }
  Epilogue on_tile(size_t) override { return {}; }
  void on_parameter(size_t) override {}

 private:
  bool takes_token_rows_;
};

}  // namespace weft
