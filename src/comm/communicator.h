// Communicator: the ranks of a run and the messages between them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/view.h"
#include "comm/request.h"

namespace weft {

enum class Reduction { kSum, kMin, kMax };

// Every call but the first four is a collective: all ranks make the same calls in the same order,
// with matching lengths. Counts are numbers of elements, one per rank; the parts of a buffer lie
// side by side in the order of the ranks. The library chooses the order in which a sum is added,
// and every rank that receives the sum receives the same bits.
//
// Thread-safe: threads may begin and test transfers at the same time; a blocking call delays the
// calls of other threads. Throws Error (kFailure) that names rank, host and operation.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual const std::string& host() const = 0;

  // Ends the processes of all ranks, after an error that only this rank has. It may return on this
  // rank, which must then end by itself.
  virtual void end_all_ranks(int status) = 0;

  // ---- Blocking calls, for small values.

  virtual void barrier() = 0;
  virtual void all_reduce(Vector<double> values, Reduction reduction) = 0;
  // Returns the texts of all ranks on rank 0, and nothing on other ranks.
  virtual std::vector<std::string> gather(const std::string& text) = 0;
  // Returns rank 0's text on every rank.
  virtual std::string broadcast(const std::string& text) = 0;

  // ---- Non-blocking calls: the transfer proceeds while the caller computes.

  // Leaves the sum in `values` on rank `root`; other ranks' values do not change.
  virtual Request begin_reduce(Vector<float> values, int root) = 0;
  virtual Request begin_broadcast(Vector<float> values, int root) = 0;
  virtual Request begin_all_reduce(Vector<float> values) = 0;
  virtual Request begin_all_reduce(Vector<double> values) = 0;
  // Each rank has filled its own part of `values` and receives the other parts.
  virtual Request begin_all_gather(Vector<float> values, const std::vector<int64_t>& counts) = 0;
  // Sends part r of `send` to rank r and receives part r of `receive` from rank r.
  virtual Request begin_exchange(Vector<const float> send, const std::vector<int64_t>& send_counts,
                                 Vector<float> receive,
                                 const std::vector<int64_t>& receive_counts) = 0;
};

// The first element of each rank's part, and at the end the total number of elements.
inline std::vector<int64_t> part_begins(const std::vector<int64_t>& counts) {
  std::vector<int64_t> begins = {0};
  for (int64_t count : counts) begins.push_back(begins.back() + count);
  return begins;
}

// "rank 2 on node17"
std::string rank_name(const Communicator& communicator);

}  // namespace weft
