// TrainSettings: all that decides a training run, as one tree that is passed whole. A part of it
// that one room uses is that room's own struct (StepSettings, Schedule, OutputSettings, ..), so
// that a new setting is declared where it is used and needs no copy on the way.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "comm/agreement.h"
#include "model/config.h"
#include "run/checkpoint_policy.h"
#include "run/run_directory.h"
#include "run/schedule.h"
#include "step/training_step.h"

namespace weft {

// Which sequences the optimizer steps see, and how many of them.
struct BatchSettings {
  int64_t total_tokens = 0;  // per optimizer step over all ranks; 0: one micro-step of each rank
  int64_t steps = 0;         // length of the run in optimizer steps; 0: from epochs
  double epochs = 0.;        // length in passes over the data; 0: one pass, unless steps are given
  bool shuffle = true;
  uint64_t seed = 42;  // of the order of the data, of random weights and of samples
};

struct ValidationSettings {
  int64_t every = 0;     // steps; 0: only at the end
  int64_t batches = 20;  // 0: all of the validation data
};

struct SampleSettings {
  int64_t every = 0;  // steps; 0: never
};

struct TrainSettings {
  Config model;
  std::filesystem::path init;  // weights to start from; empty: random

  // Batch, optimizer, numerics and distribution: what a step sees. Its micro_steps is filled in
  // from batches.total_tokens. With a communicator, all its ranks call train().
  StepSettings step;
  BatchSettings batches;
  Schedule schedule;  // its `steps` is filled in from batches.steps or batches.epochs
  ValidationSettings validation;
  SampleSettings samples;
  CheckpointPolicy checkpoints;
  OutputSettings output;

  double peak_flops =
      0.;       // of all threads of all ranks, at the precision: the basis of mfu; 0: no mfu
  Facts facts;  // that all ranks must agree on besides model and data: version, flags
};

}  // namespace weft
