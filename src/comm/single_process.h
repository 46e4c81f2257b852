// SingleProcess: the communicator of a run of one rank, where every transfer ends at once.
#pragma once

#include <string>

#include "comm/communicator.h"

namespace weft {

class SingleProcess : public Communicator {
 public:
  SingleProcess();

  int rank() const override { return 0; }
  int size() const override { return 1; }
  const std::string& host() const override { return host_; }
  void end_all_ranks(int) override {}

  void barrier() override {}
  void all_reduce(Vector<double>, Reduction) override {}
  std::vector<std::string> gather(const std::string& text) override { return {text}; }
  std::string broadcast(const std::string& text) override { return text; }

  Request begin_reduce(Vector<float>, int) override { return {}; }
  Request begin_broadcast(Vector<float>, int) override { return {}; }
  Request begin_all_reduce(Vector<float>) override { return {}; }
  Request begin_all_reduce(Vector<double>) override { return {}; }
  Request begin_all_gather(Vector<float>, const std::vector<int64_t>&) override { return {}; }
  Request begin_exchange(Vector<const float> send, const std::vector<int64_t>& send_counts,
                         Vector<float> receive,
                         const std::vector<int64_t>& receive_counts) override;

 private:
  std::string host_;
};

}  // namespace weft
