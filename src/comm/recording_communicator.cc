#include "comm/recording_communicator.h"

#include "base/error.h"

namespace weft {
namespace {

[[noreturn]] void refuse() { throw failure("comm", "a recording communicator has no other ranks"); }

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

RecordingCommunicator::RecordingCommunicator(int rank, int size) : rank_(rank), size_(size) {
  require(0 <= rank && rank < size, "0 <= rank < size");
}

void RecordingCommunicator::barrier() { refuse(); }
void RecordingCommunicator::all_reduce(Vector<double>, Reduction) { refuse(); }
std::vector<std::string> RecordingCommunicator::gather(const std::string&) { refuse(); }
std::string RecordingCommunicator::broadcast(const std::string&) { refuse(); }

Request RecordingCommunicator::record(Collective collective, size_t bytes) {
  recorded_.push_back({collective, int64_t(bytes)});
  return {};
}

Request RecordingCommunicator::begin_reduce(Vector<float> values, int) {
  return record(Collective::kReduce, values.size_bytes());
}
Request RecordingCommunicator::begin_broadcast(Vector<float> values, int) {
  return record(Collective::kBroadcast, values.size_bytes());
}
Request RecordingCommunicator::begin_all_reduce(Vector<float> values) {
  return record(Collective::kAllReduce, values.size_bytes());
}
Request RecordingCommunicator::begin_all_reduce(Vector<double> values) {
  return record(Collective::kAllReduce, values.size_bytes());
}
Request RecordingCommunicator::begin_all_gather(Vector<float> values, const std::vector<int64_t>&) {
  return record(Collective::kAllGather, values.size_bytes());
}
Request RecordingCommunicator::begin_exchange(Vector<const float>,
                                              const std::vector<int64_t>& send_counts,
                                              Vector<float>,
                                              const std::vector<int64_t>& receive_counts) {
  const int64_t sent = part_begins(send_counts).back();
  const int64_t floats = sent > 0 ? sent : part_begins(receive_counts).back();
  return record(Collective::kExchange, size_t(floats) * sizeof(float));
}

}  // namespace weft
