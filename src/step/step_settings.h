// StepSettings: all that decides the programs of a training step, besides the model.
#pragma once

#include <cstdint>
#include <memory>

#include "comm/communicator.h"
#include "kernels/gemm.h"
#include "model/precision.h"
#include "optim/optimizer.h"
#include "parallel/strategy.h"
#include "parallel/workers.h"

namespace weft {

struct StepSettings {
  int64_t B = 4, T = 64;
  int64_t micro_steps = 1;  // micro-batches per optimizer step
  std::shared_ptr<const Optimizer> optimizer = default_optimizer();
  double grad_clip = 1.;                  // largest global norm of the gradients; 0: no clipping
  GemmBackend gemm = GemmBackend::kAuto;  // of fp32 products
  Precision precision = Precision::kFp32;
  bool recompute_blocks = false;  // less memory, more time, the same bits

  Communicator* communicator = nullptr;  // null: this process is alone
  DistributionSettings distribution = {};

  // Whether the update goes through a Distribution. One rank needs it only in a reproducible run,
  // for the bits that several ranks have.
  bool is_distributed() const {
    return communicator != nullptr && (communicator->size() > 1 || distribution.reproducible);
  }

  // Clipping needs the norm of all gradients, and a Distribution their sums, before any update.
  bool defers_updates() const { return grad_clip > 0. || is_distributed(); }

  // The ranks that compute batches.
  Workers workers() const {
    if (communicator == nullptr) return {.micro_steps = micro_steps};
    return {micro_steps, distribution.dedicated_server ? 1 : 0, communicator->size()};
  }
};

}  // namespace weft
