// Request: a transfer that has begun and may not have ended.
#pragma once

#include <memory>

#include "base/poll_backoff.h"

namespace weft {

// What a communicator knows of a transfer in progress.
class Transfer {
 public:
  virtual ~Transfer() = default;

  // True once the transfer has ended. Never blocks. Throws Error if it failed.
  virtual bool test() = 0;
};

// Owns a transfer. The memory that it was given must stay, and stay untouched, until test() says
// true. One that is destroyed before is abandoned, which only a program that is about to end may
// do.
class Request {
 public:
  Request() = default;  // nothing to wait for
  explicit Request(std::unique_ptr<Transfer> transfer) : transfer_(std::move(transfer)) {}

  // True once the transfer has ended, and ever after. Throws Error if it failed.
  bool test() {
    if (transfer_ && transfer_->test()) transfer_.reset();
    return !transfer_;
  }

 private:
  std::unique_ptr<Transfer> transfer_;
};

// Until the transfer has ended. Throws Error if it failed. Leaves the core to others meanwhile,
// such as the ranks that it waits for, unlike MPI's own waiting.
inline void wait_for(Request request) {
  Patience patience;
  while (!request.test()) patience.wait();
}

}  // namespace weft
