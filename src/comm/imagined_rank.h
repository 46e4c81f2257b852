// ImaginedRank: one rank of a run that does not happen, for programs that are built and not run.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "comm/communicator.h"

namespace weft {

enum class Collective { kReduce, kBroadcast, kAllReduce, kAllGather, kExchange };

// As `weft bench comm` calls it.
const char* collective_name(Collective collective);

struct NotedTransfer {
  Collective collective = Collective::kAllReduce;
  int64_t bytes = 0;  // of the whole buffer, all ranks' parts together
};

// Notes the transfers that it is asked for, touches none of their memory and has ended them at
// once. Whatever is waited for throws Error (kFailure): there is nobody to talk to.
class ImaginedRank : public Communicator {
 public:
  // REQUIRES: 0 <= rank < size.
  ImaginedRank(int rank, int size);

  // Since the last call.
  std::vector<NotedTransfer> take() { return std::exchange(noted_, {}); }

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
  Request note(Collective collective, size_t bytes);

  int rank_, size_;
  std::string host_ = "nowhere";
  std::vector<NotedTransfer> noted_;
};

}  // namespace weft
