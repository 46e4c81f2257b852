// connect.h with MPI. No other file includes mpi.h.
#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>

#include "base/error.h"
#include "comm/connect.h"
#include "comm/launcher.h"
#include "comm/single_process.h"

namespace weft {
namespace {

// Open MPI yields the core inside of MPI_Test if it believes, or is told, that ranks share cores.
// The next process would keep the core for milliseconds in which this rank has ops to run, and no
// transfer would be hidden. Executors themselves yield if they have nothing to do.
void keep_open_mpi_from_yielding() { setenv("OMPI_MCA_mpi_yield_when_idle", "0", /*overwrite=*/1); }

// The algorithms that Open MPI 4.1 chooses for non-blocking collectives of megabytes use a third of
// a link. A ring for sums and a chain for broadcasts use nine tenths (docs/distributed.md). A
// user's own setting of these variables stays.
void choose_open_mpis_algorithms() {
  constexpr const char *kRing = "1", *kChain = "3";
  setenv("OMPI_MCA_coll_libnbc_iallreduce_algorithm", kRing, /*overwrite=*/0);
  setenv("OMPI_MCA_coll_libnbc_ibcast_algorithm", kChain, /*overwrite=*/0);
}

// MPI is initialized for the lifetime of this object.
class MpiEnvironment {
 public:
  MpiEnvironment() {
    keep_open_mpi_from_yielding();
    choose_open_mpis_algorithms();
    int provided = MPI_THREAD_SINGLE;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided);
    if (provided < MPI_THREAD_SERIALIZED) {
      throw failure("comm", "this MPI library does not let threads take turns",
                    "install one with MPI_THREAD_SERIALIZED, as Open MPI and MPICH are");
    }
  }
  ~MpiEnvironment() { MPI_Finalize(); }
  MpiEnvironment(const MpiEnvironment&) = delete;
  MpiEnvironment& operator=(const MpiEnvironment&) = delete;
};

std::string text_of(int error) {
  std::array<char, MPI_MAX_ERROR_STRING> text = {};
  int length = 0;
  MPI_Error_string(error, text.data(), &length);
  return {text.data(), size_t(length)};
}

// The MPI calls of one transfer. REQUIRES for every member: the caller holds the queue's mutex.
class Calls {
 public:
  using Begin = std::function<void(Calls&)>;
  // Throws Error with MPI's message unless `error` is MPI_SUCCESS.
  using Check = std::function<void(int error)>;

  Calls(Begin begin, Check check) : begin_(std::move(begin)), check_(std::move(check)) {}

  // The place for the request of the next call that `begin` makes.
  MPI_Request* next() { return &requests_.emplace_back(MPI_REQUEST_NULL); }
  void check(int error) const { check_(error); }
  // Keeps counts and displacements that MPI reads until the transfer has ended.
  std::vector<int>& keep(std::vector<int> numbers) {
    kept_.push_back(std::make_unique<std::vector<int>>(std::move(numbers)));
    return *kept_.back();
  }

  void begin() {
    attempt([&] { begin_(*this); });
  }
  void advance() {
    if (has_ended_) return;  // because it could not begin
    attempt([&] {
      int done = 0;
      check(MPI_Testall(int(requests_.size()), requests_.data(), &done, MPI_STATUSES_IGNORE));
      has_ended_ = done != 0;
    });
  }
  bool has_ended() const { return has_ended_; }
  // Throws the Error that ended the transfer, if there was one.
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  // Keeps an error for the caller who tests the transfer; any thread may have met it.
  template <typename Work>
  void attempt(const Work& work) {
    try {
      work();
    } catch (...) {
      error_ = std::current_exception();
      has_ended_ = true;
    }
  }

  Begin begin_;
  Check check_;
  std::vector<MPI_Request> requests_;
  std::vector<std::unique_ptr<std::vector<int>>> kept_;
  bool has_ended_ = false;
  std::exception_ptr error_;
};

// Runs the transfers of a rank, a few at a time, in the order in which they were requested, which
// is the same on all ranks. MPI divides a link among all transfers that it was given. If it were
// given all weights of a model, those of the first layer would arrive only with those of the last.
//
// Transfers progress while all workers compute. MPI moves messages only inside of its calls. A
// large message takes several calls on both sides, a ring of N ranks takes 2 (N - 1) large
// messages, and computing workers call MPI only between two ops, which may be many milliseconds
// apart. So this class has a thread that calls MPI.
class TransferQueue {
 public:
  explicit TransferQueue(int ranks)
      : most_under_way_(std::max<size_t>(2, kMessages / size_t(std::max(1, ranks - 1)))),
        thread_([this](const std::stop_token& stop) {
          while (wait_and_progress(stop)) std::this_thread::sleep_for(kInterval);
        }) {}

  // A thread must hold it during every MPI call (MPI_THREAD_SERIALIZED).
  std::mutex& mutex() { return mutex_; }

  // REQUIRES for these four: the caller holds the mutex.
  void add(std::shared_ptr<Calls> calls) {
    waiting_.push_back(std::move(calls));
    begin_waiting(most_under_way_);
    added_.notify_one();
  }
  void progress() {
    for (const std::shared_ptr<Calls>& calls : under_way_) calls->advance();
    std::erase_if(under_way_, [](const auto& calls) { return calls->has_ended(); });
    begin_waiting(most_under_way_);
  }
  // Drops an abandoned transfer, whose memory may no longer exist.
  void abandon(const Calls& calls) {
    const auto is_it = [&](const auto& other) { return other.get() == &calls; };
    std::erase_if(waiting_, is_it);
    std::erase_if(under_way_, is_it);
  }
  // Begins all waiting transfers. Must precede a blocking MPI call, so that the call follows the
  // same transfers on every rank.
  void begin_all() { begin_waiting(std::numeric_limits<size_t>::max()); }

 private:
  // docs/decisions/sums_over_ranks.md compares other values of both.
  static constexpr size_t kMessages = 6;  // in flight from a rank, if a transfer sends one to each
  static constexpr std::chrono::milliseconds kInterval{1};

  void begin_waiting(size_t most) {
    for (; under_way_.size() < most && !waiting_.empty(); waiting_.pop_front()) {
      under_way_.push_back(waiting_.front());
      under_way_.back()->begin();
    }
  }

  // Waits until a transfer is under way and advances all of them. Returns false on a stop request.
  bool wait_and_progress(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!added_.wait(lock, stop, [&] { return !under_way_.empty(); })) return false;
    progress();
    return !stop.stop_requested();
  }

  size_t most_under_way_;
  std::mutex mutex_;
  std::deque<std::shared_ptr<Calls>> waiting_;
  std::vector<std::shared_ptr<Calls>> under_way_;
  std::condition_variable_any added_;
  std::jthread thread_;  // last, because it uses the other members
};

class MpiTransfer : public Transfer {
 public:
  MpiTransfer(TransferQueue& queue, std::shared_ptr<const Calls> calls)
      : queue_(queue), calls_(std::move(calls)) {}
  ~MpiTransfer() override {
    const std::lock_guard lock(queue_.mutex());
    queue_.abandon(*calls_);
  }
  MpiTransfer(const MpiTransfer&) = delete;
  MpiTransfer& operator=(const MpiTransfer&) = delete;

  bool test() override {
    const std::unique_lock lock(queue_.mutex(), std::try_to_lock);
    if (!lock) return false;  // another thread is inside MPI and advances this transfer as well
    if (!calls_->has_ended()) queue_.progress();
    calls_->rethrow();
    return calls_->has_ended();
  }

 private:
  TransferQueue& queue_;
  std::shared_ptr<const Calls> calls_;
};

class MpiCommunicator : public Communicator {
 public:
  // largest: the most elements of one MPI call.
  explicit MpiCommunicator(int64_t largest) : largest_(largest), host_(host_name()) {
    MPI_Comm_dup(MPI_COMM_WORLD, &world_);
    MPI_Comm_set_errhandler(world_, MPI_ERRORS_RETURN);
    MPI_Comm_rank(world_, &rank_);
    MPI_Comm_size(world_, &size_);
    queue_ = std::make_unique<TransferQueue>(size_);
  }
  ~MpiCommunicator() override {
    queue_.reset();
    MPI_Comm_free(&world_);
  }
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  const std::string& host() const override { return host_; }
  void end_all_ranks(int status) override { MPI_Abort(MPI_COMM_WORLD, status); }

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
  Request begin_all_reduce(Vector<double> values, Reduction reduction);

  // Queues a transfer. `begin` makes its MPI calls, at once or when earlier transfers have ended.
  Request start(const char* operation, Calls::Begin begin);
  void broadcast_chunks(Vector<float> values, int root, Calls& calls) const;

  // Throws Error with MPI's message unless `error` is MPI_SUCCESS.
  void check(int error, const char* operation) const {
    if (error == MPI_SUCCESS) return;
    throw failure("comm",
                  fmt::format("{}: {} failed: {}", rank_name(*this), operation, text_of(error)));
  }

  template <typename T, typename Begin>
  void for_each_chunk(Vector<T> values, const Begin& begin) const {
    for_each_chunk(values, largest_, begin);
  }
  template <typename T, typename Begin>
  static void for_each_chunk(Vector<T> values, int64_t largest, const Begin& begin) {
    for (size_t at = 0; at < values.size(); at += size_t(largest)) {
      begin(values.subspan(at, std::min(size_t(largest), values.size() - at)));
    }
  }
  // A library forwards a large buffer from rank to rank in pieces, and only when it is called: Open
  // MPI forwards 16 or 32 KiB per call. So the buffer is passed in parts that are all in flight,
  // and each call forwards a piece of every part.
  template <typename Begin>
  void for_each_part(Vector<float> values, const Begin& begin) const {
    constexpr int64_t kPart = int64_t{1} << 18;
    for_each_chunk(values, std::min(kPart, largest_), begin);
  }
  bool fits(int64_t elements) const { return elements <= largest_; }

  MPI_Comm world_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  int64_t largest_;
  std::string host_;
  std::unique_ptr<TransferQueue> queue_;
};

MPI_Op op_of(Reduction reduction) {
  switch (reduction) {
    case Reduction::kSum:
      return MPI_SUM;
    case Reduction::kMin:
      return MPI_MIN;
    case Reduction::kMax:
      return MPI_MAX;
  }
  return MPI_OP_NULL;
}

std::vector<int> as_ints(const std::vector<int64_t>& numbers) {
  return {numbers.begin(), numbers.end()};
}

Request MpiCommunicator::start(const char* operation, Calls::Begin begin) {
  const auto calls = std::make_shared<Calls>(
      std::move(begin), [this, operation](int error) { check(error, operation); });
  const std::lock_guard lock(queue_->mutex());
  queue_->add(calls);
  return Request(std::make_unique<MpiTransfer>(*queue_, calls));
}

void MpiCommunicator::barrier() {
  std::vector<double> nothing(1, 0.);
  all_reduce(nothing, Reduction::kSum);
}

void MpiCommunicator::all_reduce(Vector<double> values, Reduction reduction) {
  wait_for(begin_all_reduce(values, reduction));
}

std::vector<std::string> MpiCommunicator::gather(const std::string& text) {
  constexpr int kTag = 1;
  const std::lock_guard lock(queue_->mutex());
  queue_->begin_all();
  std::vector<uint64_t> sizes(static_cast<size_t>(size_));
  const uint64_t size = text.size();
  check(MPI_Gather(&size, 1, MPI_UINT64_T, sizes.data(), 1, MPI_UINT64_T, 0, world_), "gather");
  if (rank_ != 0) {
    for_each_chunk(Vector<const char>(text), [&](Vector<const char> chunk) {
      check(MPI_Send(chunk.data(), int(chunk.size()), MPI_CHAR, 0, kTag, world_), "gather");
    });
    return {};
  }
  std::vector<std::string> texts = {text};
  for (int r = 1; r < size_; ++r) {
    std::string& received = texts.emplace_back(sizes[size_t(r)], '\0');
    for_each_chunk(Vector<char>(received), [&](Vector<char> chunk) {
      check(MPI_Recv(chunk.data(), int(chunk.size()), MPI_CHAR, r, kTag, world_, MPI_STATUS_IGNORE),
            "gather");
    });
  }
  return texts;
}

std::string MpiCommunicator::broadcast(const std::string& text) {
  const std::lock_guard lock(queue_->mutex());
  queue_->begin_all();
  uint64_t size = text.size();
  check(MPI_Bcast(&size, 1, MPI_UINT64_T, 0, world_), "broadcast");
  std::string received = rank_ == 0 ? text : std::string(size, '\0');
  for_each_chunk(Vector<char>(received), [&](Vector<char> chunk) {
    check(MPI_Bcast(chunk.data(), int(chunk.size()), MPI_CHAR, 0, world_), "broadcast");
  });
  return received;
}

Request MpiCommunicator::begin_reduce(Vector<float> values, int root) {
  return start("reduce", [this, values, root](Calls& calls) {
    for_each_part(values, [&](Vector<float> chunk) {
      const bool at_root = rank_ == root;
      calls.check(MPI_Ireduce(at_root ? MPI_IN_PLACE : chunk.data(),
                              at_root ? chunk.data() : nullptr, int(chunk.size()), MPI_FLOAT,
                              MPI_SUM, root, world_, calls.next()));
    });
  });
}

Request MpiCommunicator::begin_broadcast(Vector<float> values, int root) {
  return start("broadcast",
               [this, values, root](Calls& calls) { broadcast_chunks(values, root, calls); });
}

void MpiCommunicator::broadcast_chunks(Vector<float> values, int root, Calls& calls) const {
  for_each_part(values, [&](Vector<float> chunk) {
    calls.check(MPI_Ibcast(chunk.data(), int(chunk.size()), MPI_FLOAT, root, world_, calls.next()));
  });
}

Request MpiCommunicator::begin_all_reduce(Vector<float> values) {
  return start("all-reduce", [this, values](Calls& calls) {
    for_each_chunk(values, [&](Vector<float> chunk) {
      calls.check(MPI_Iallreduce(MPI_IN_PLACE, chunk.data(), int(chunk.size()), MPI_FLOAT, MPI_SUM,
                                 world_, calls.next()));
    });
  });
}

Request MpiCommunicator::begin_all_reduce(Vector<double> values) {
  return begin_all_reduce(values, Reduction::kSum);
}

Request MpiCommunicator::begin_all_reduce(Vector<double> values, Reduction reduction) {
  return start("all-reduce", [this, values, reduction](Calls& calls) {
    for_each_chunk(values, [&](Vector<double> chunk) {
      calls.check(MPI_Iallreduce(MPI_IN_PLACE, chunk.data(), int(chunk.size()), MPI_DOUBLE,
                                 op_of(reduction), world_, calls.next()));
    });
  });
}

// MPI's counts and displacements are ints. If they do not fit, each rank broadcasts its part in
// chunks.
Request MpiCommunicator::begin_all_gather(Vector<float> values,
                                          const std::vector<int64_t>& counts) {
  return start("all-gather", [this, values, counts](Calls& calls) {
    const std::vector<int64_t> begins = part_begins(counts);
    if (fits(begins.back())) {
      const std::vector<int>& sizes = calls.keep(as_ints(counts));
      const std::vector<int>& places = calls.keep(as_ints(begins));
      calls.check(MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values.data(), sizes.data(),
                                  places.data(), MPI_FLOAT, world_, calls.next()));
      return;
    }
    for (int owner = 0; owner < size_; ++owner) {
      broadcast_chunks(values.subspan(size_t(begins[size_t(owner)]), size_t(counts[size_t(owner)])),
                       owner, calls);
    }
  });
}

Request MpiCommunicator::begin_exchange(Vector<const float> send,
                                        const std::vector<int64_t>& send_counts,
                                        Vector<float> receive,
                                        const std::vector<int64_t>& receive_counts) {
  constexpr int kTag = 2;
  return start("exchange", [=, this](Calls& calls) {
    const std::vector<int64_t> from = part_begins(send_counts), to = part_begins(receive_counts);
    const auto me = size_t(rank_);
    std::copy_n(send.begin() + from[me], send_counts[me], receive.begin() + to[me]);
    // Each rank begins with the next rank, so that they do not all send to the same rank at once.
    for (int distance = 1; distance < size_; ++distance) {
      const int source = (rank_ + size_ - distance) % size_;
      for_each_chunk(
          receive.subspan(size_t(to[size_t(source)]), size_t(receive_counts[size_t(source)])),
          [&](Vector<float> chunk) {
            calls.check(MPI_Irecv(chunk.data(), int(chunk.size()), MPI_FLOAT, source, kTag, world_,
                                  calls.next()));
          });
    }
    for (int distance = 1; distance < size_; ++distance) {
      const int target = (rank_ + distance) % size_;
      for_each_chunk(
          send.subspan(size_t(from[size_t(target)]), size_t(send_counts[size_t(target)])),
          [&](Vector<const float> chunk) {
            calls.check(MPI_Isend(chunk.data(), int(chunk.size()), MPI_FLOAT, target, kTag, world_,
                                  calls.next()));
          });
    }
  });
}

// A communicator that keeps MPI initialized during its lifetime.
class MpiRun : private MpiEnvironment, public MpiCommunicator {
 public:
  explicit MpiRun(int64_t largest) : MpiCommunicator(largest) {}
};

}  // namespace

std::unique_ptr<Communicator> connect(int64_t largest_count) {
  const Launch launch = find_launch();
  if (launch.launcher.empty()) return std::make_unique<SingleProcess>();
  const auto not_connected = [&](const char* hint) {
    return input_error("comm",
                       fmt::format("{} started {} ranks, and {} does not know the others",
                                   launch.launcher, launch.size, mpi_library()),
                       hint);
  };
  if (!launch.has_mpi) {
    if (launch.size == 1) return std::make_unique<SingleProcess>();
    throw not_connected("start with srun --mpi=pmix or --mpi=pmi2; srun --mpi=list names them");
  }
  auto run = std::make_unique<MpiRun>(largest_count);
  if (run->size() < launch.size) {
    throw not_connected("start with the mpirun of the library that weft was built with");
  }
  return run;
}

// "Open MPI v4.1.4, package: ..." or "MPICH Version:      4.0.2 ..."
std::string mpi_library() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text = {};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);
  const std::string_view all(text.data(), size_t(length));
  const bool is_mpich = all.starts_with("MPICH Version:");
  const size_t begin = is_mpich ? all.find_first_not_of(" \t", all.find(':') + 1) : 0;
  const std::string_view line = all.substr(begin, all.find_first_of(",\n", begin) - begin);
  return is_mpich ? fmt::format("MPICH {}", line) : std::string(line);
}

}  // namespace weft
