// Communicator: the ranks of a run, and what they tell each other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/view.h"
#include "comm/request.h"

namespace weft {

enum class Reduction { kSum, kMin, kMax };

// Every call but the first four is a collective: all ranks make the same calls in the same order,
// with lengths that fit together. Counts are of elements, one per rank, in the order of the ranks;
// parts of a buffer lie side by side in that order. Sums are added in an order of the library's
// choice, the same on every rank that receives them.
//
// Thread-safe: threads may begin and test transfers at the same time. Blocking calls keep the
// others waiting. Throws Error (kFailure) that names rank, host and operation.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual const std::string& host() const = 0;

  // Ends the processes of all ranks: for an error that one rank has alone. This rank may live to
  // return from it, and then ends by itself.
  virtual void end_all_ranks(int status) = 0;

  // ---- Small things, which are waited for.

  virtual void barrier() = 0;
  virtual void all_reduce(Vector<double> values, Reduction reduction) = 0;
  // On rank 0, the texts of all ranks; elsewhere, nothing.
  virtual std::vector<std::string> gather(const std::string& text) = 0;
  // Rank 0's text on every rank.
  virtual std::string broadcast(const std::string& text) = 0;

  // ---- Transfers, which go on while the caller does other things.

  // Rank `root` has the sum in `values`; what the others have there stays.
  virtual Request begin_reduce(Vector<float> values, int root) = 0;
  virtual Request begin_broadcast(Vector<float> values, int root) = 0;
  virtual Request begin_all_reduce(Vector<float> values) = 0;
  virtual Request begin_all_reduce(Vector<double> values) = 0;
  // Each rank has filled its own part of `values`, and receives the others.
  virtual Request begin_all_gather(Vector<float> values, const std::vector<int64_t>& counts) = 0;
  // Part r of `send` goes to rank r, and part r of `receive` comes from there.
  virtual Request begin_exchange(Vector<const float> send, const std::vector<int64_t>& send_counts,
                                 Vector<float> receive,
                                 const std::vector<int64_t>& receive_counts) = 0;
};

// The element at which each rank's part begins, and after the last their sum.
inline std::vector<int64_t> part_begins(const std::vector<int64_t>& counts) {
  std::vector<int64_t> begins = {0};
  for (int64_t count : counts) begins.push_back(begins.back() + count);
  return begins;
}

// "rank 2 on node17"
std::string rank_name(const Communicator& communicator);

}  // namespace weft
