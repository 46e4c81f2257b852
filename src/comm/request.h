// Request: a transfer that has begun and may still be in progress.
#pragma once

#include <memory>

#include "base/poll_backoff.h"

namespace weft {

// A communicator's own handle of a transfer in progress.
class Transfer {
 public:
  virtual ~Transfer() = default;

  // Returns true once the transfer has ended. Never blocks. Throws Error if it failed.
  virtual bool test() = 0;
};

// Owns a transfer. The transfer's memory must stay valid and untouched until test() returns true.
// Destroying a Request earlier abandons the transfer; only a program that is about to end may do
// so.
class Request {
 public:
  Request() = default;  // nothing to wait for
  explicit Request(std::unique_ptr<Transfer> transfer) : transfer_(std::move(transfer)) {}

  // Returns true once the transfer has ended, and always after that. Throws Error if it failed.
  bool test() {
    if (transfer_ && transfer_->test()) transfer_.reset();
    return !transfer_;
  }

 private:
  std::unique_ptr<Transfer> transfer_;
};

// Blocks until the transfer has ended. Throws Error if it failed. Unlike MPI_Wait, it yields the
// core meanwhile, to ranks on this machine that it may be waiting for.
inline void wait_for(Request request) {
  PollBackoff backoff;
  while (!request.test()) backoff.wait();
}

}  // namespace weft
