// RecordingCommunicator: stands for one rank of a run that does not take place, and records its
// transfers.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "comm/communicator.h"

namespace weft {

enum class Collective { kReduce, kBroadcast, kAllReduce, kAllGather, kExchange };

// The name that `weft bench comm` uses.
const char* collective_name(Collective collective);

struct RecordedTransfer {
  Collective collective = Collective::kAllReduce;
  int64_t bytes = 0;  // of the whole buffer: the parts of all ranks
};

// For programs that are built in order to be simulated. Each transfer is recorded and ends at once;
// its memory is not touched. Blocking calls throw Error (kFailure), because there are no other
// ranks.
class RecordingCommunicator : public Communicator {
 public:
  // REQUIRES: 0 <= rank < size.
  RecordingCommunicator(int rank, int size);

  // Returns the transfers recorded since the last call.
  std::vector<RecordedTransfer> take() { return std::exchange(recorded_, {}); }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  const std::string& host() const override { return host_; }
  void end_all_ranks(int) override {}

  void barrier() override;
  void all_reduce(Vector<double> values, Reduction reduction) override;
  std::vector<std::string> gather(const std::string& text) override;
  std::string broadcast(const std::string& text) override;

  Request begin_reduce(Vector<float> values, int root) override;
  Request begin_broadcast(Vector<float> values, int root) override;
  Request begin_all_reduce(Vector<float> values) override;
  Request begin_all_reduce(Vector<double> values) override;
  Request begin_all_gather(Vector<float> values, const std::vector<int64_t>& counts) override;
  Request begin_exchange(Vector<const float> send, const std::vector<int64_t>& send_counts,
                         Vector<float> receive,
                         const std::vector<int64_t>& receive_counts) override;

 private:
  Request record(Collective collective, size_t bytes);

  int rank_, size_;
  std::string host_ = "nowhere";
  std::vector<RecordedTransfer> recorded_;
};

}  // namespace weft
