#include "comm/imagined_rank.h"

#include "base/error.h"

namespace weft {
namespace {

[[noreturn]] void refuse() { throw failure("comm", "an imagined rank has nobody to talk to"); }

}  // namespace

const char* collective_name(Collective collective) {
  switch (collective) {
    case Collective::kReduce:
      return "reduce";
    case Collective::kBroadcast:
      return "broadcast";
    case Collective::kAllReduce:
      return "all-reduce";
    case Collective::kAllGather:
      return "all-gather";
    case Collective::kExchange:
      return "exchange";
  }
  return "unknown";
}

ImaginedRank::ImaginedRank(int rank, int size) : rank_(rank), size_(size) {
  require(0 <= rank && rank < size, "a rank is one of all");
}

void ImaginedRank::barrier() { refuse(); }
void ImaginedRank::all_reduce(Vector<double>, Reduction) { refuse(); }
std::vector<std::string> ImaginedRank::gather(const std::string&) { refuse(); }
std::string ImaginedRank::broadcast(const std::string&) { refuse(); }

Request ImaginedRank::note(Collective collective, size_t bytes) {
  noted_.push_back({collective, int64_t(bytes)});
  return {};
}

Request ImaginedRank::begin_reduce(Vector<float> values, int) {
  return note(Collective::kReduce, values.size_bytes());
}
Request ImaginedRank::begin_broadcast(Vector<float> values, int) {
  return note(Collective::kBroadcast, values.size_bytes());
}
Request ImaginedRank::begin_all_reduce(Vector<float> values) {
  return note(Collective::kAllReduce, values.size_bytes());
}
Request ImaginedRank::begin_all_reduce(Vector<double> values) {
  return note(Collective::kAllReduce, values.size_bytes());
}
Request ImaginedRank::begin_all_gather(Vector<float> values, const std::vector<int64_t>&) {
  return note(Collective::kAllGather, values.size_bytes());
}
Request ImaginedRank::begin_exchange(Vector<const float>, const std::vector<int64_t>& send_counts,
                                     Vector<float>, const std::vector<int64_t>& receive_counts) {
  const int64_t sent = part_begins(send_counts).back();
  const int64_t floats = sent > 0 ? sent : part_begins(receive_counts).back();
  return note(Collective::kExchange, size_t(floats) * sizeof(float));
}

}  // namespace weft
