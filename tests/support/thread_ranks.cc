#include "support/thread_ranks.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "base/error.h"

namespace weft {
namespace {

// The arguments of one rank's call of a collective.
struct Call {
  std::string what;                                             // must be equal on all ranks
  std::function<void(const std::vector<Call*>&)> all_are_here;  // called on the last rank to arrive
  Vector<float> floats;
  Vector<const float> send;
  Vector<double> doubles;
  std::vector<int64_t> counts, receive_counts;
  std::vector<std::string>* texts = nullptr;
  std::string text;
};

struct Meeting {
  std::vector<Call*> calls;
  std::vector<std::unique_ptr<Call>> owned;
  size_t here = 0;
  bool done = false;
};

// Matches the n-th collectives of all ranks with each other.
class Room {
 public:
  explicit Room(int ranks) : ranks_(static_cast<size_t>(ranks)) {}

  std::shared_ptr<Meeting> join(size_t rank, size_t number, std::unique_ptr<Call> call) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Meeting>& meeting = meetings_[number];
    if (!meeting) {
      meeting = std::make_shared<Meeting>();
      meeting->calls.resize(ranks_);
    }
    meeting->calls[rank] = call.get();
    for (const Call* other : meeting->calls) {
      if (other != nullptr && other->what != call->what) {
        broken_ = true;
        changed_.notify_all();
        throw failure("ranks", fmt::format("call {} is {} here and {} there", number, call->what,
                                           other->what));
      }
    }
    meeting->owned.push_back(std::move(call));
    std::shared_ptr<Meeting> joined = meeting;
    if (++joined->here == ranks_) {
      joined->calls[rank]->all_are_here(joined->calls);
      joined->done = true;
      meetings_.erase(number);
      changed_.notify_all();
    }
    return joined;
  }

  bool is_done(const Meeting& meeting) {
    const std::lock_guard lock(mutex_);
    if (!meeting.done && broken_) throw failure("ranks", "another rank has failed");
    return meeting.done;
  }
  void wait(const Meeting& meeting) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return meeting.done || broken_; });
    if (!meeting.done) throw failure("ranks", "another rank has failed");
  }
  void break_up() {
    const std::lock_guard lock(mutex_);
    broken_ = true;
    changed_.notify_all();
  }

 private:
  size_t ranks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<size_t, std::shared_ptr<Meeting>> meetings_;
  bool broken_ = false;
};

class MeetingTransfer : public Transfer {
 public:
  MeetingTransfer(Room& room, std::shared_ptr<Meeting> meeting)
      : room_(room), meeting_(std::move(meeting)) {}
  bool test() override { return room_.is_done(*meeting_); }

 private:
  Room& room_;
  std::shared_ptr<Meeting> meeting_;
};

using Calls = std::vector<Call*>;

// The sums over the ranks' buffers, added in the order of the ranks.
std::vector<float> sums_of(const Calls& calls, Vector<const float> Call::*buffer) {
  std::vector<float> sums((calls[0]->*buffer).begin(), (calls[0]->*buffer).end());
  for (size_t r = 1; r < calls.size(); ++r) {
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += (calls[r]->*buffer)[i];
  }
  return sums;
}

class ThreadRank : public Communicator {
 public:
  ThreadRank(Room& room, int rank, int size)
      : room_(room), rank_(rank), size_(size), host_(fmt::format("thread{}", rank)) {}

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  const std::string& host() const override { return host_; }
  void end_all_ranks(int) override { room_.break_up(); }

  void barrier() override {
    room_.wait(*join("barrier", [](const Calls&) {}));
  }

  void all_reduce(Vector<double> values, Reduction reduction) override {
    auto call = new_call("all_reduce(double)",
                         [reduction](const Calls& calls) { reduce_doubles(calls, reduction); });
    call->doubles = values;
    room_.wait(*join(std::move(call)));
  }

  std::vector<std::string> gather(const std::string& text) override {
    std::vector<std::string> texts;
    auto call = new_call("gather", [](const Calls& calls) {
      for (const Call* c : calls) calls[0]->texts->push_back(c->text);
    });
    call->text = text;
    call->texts = &texts;
    room_.wait(*join(std::move(call)));
    return texts;
  }

  std::string broadcast(const std::string& text) override {
    std::vector<std::string> texts;
    auto call = new_call("broadcast", [](const Calls& calls) {
      for (const Call* c : calls) c->texts->push_back(calls[0]->text);
    });
    call->text = text;
    call->texts = &texts;
    room_.wait(*join(std::move(call)));
    return texts[0];
  }

  Request begin_reduce(Vector<float> values, int root) override {
    auto call =
        new_call(fmt::format("reduce {} to {}", values.size(), root), [root](const Calls& calls) {
          const std::vector<float> sums = sums_of(calls, &Call::send);
          std::copy(sums.begin(), sums.end(), calls[size_t(root)]->floats.begin());
        });
    call->send = call->floats = values;
    return begin(std::move(call));
  }

  Request begin_broadcast(Vector<float> values, int root) override {
    auto call = new_call(fmt::format("broadcast {} from {}", values.size(), root),
                         [root](const Calls& calls) {
                           const Vector<float> from = calls[size_t(root)]->floats;
                           for (Call* c : calls) {
                             if (c != calls[size_t(root)]) {
                               std::copy(from.begin(), from.end(), c->floats.begin());
                             }
                           }
                         });
    call->floats = values;
    return begin(std::move(call));
  }

  Request begin_all_reduce(Vector<float> values) override {
    auto call = new_call(fmt::format("all-reduce {}", values.size()), [](const Calls& calls) {
      const std::vector<float> sums = sums_of(calls, &Call::send);
      for (Call* c : calls) std::copy(sums.begin(), sums.end(), c->floats.begin());
    });
    call->send = call->floats = values;
    return begin(std::move(call));
  }

  Request begin_all_reduce(Vector<double> values) override {
    auto call = new_call("begin all_reduce(double)",
                         [](const Calls& calls) { reduce_doubles(calls, Reduction::kSum); });
    call->doubles = values;
    return begin(std::move(call));
  }

  Request begin_all_gather(Vector<float> values, const std::vector<int64_t>& counts) override {
    auto call = new_call(fmt::format("all-gather {}", values.size()), [](const Calls& calls) {
      const std::vector<int64_t> begins = part_begins(calls[0]->counts);
      for (size_t from = 0; from < calls.size(); ++from) {
        for (size_t to = 0; to < calls.size(); ++to) {
          if (from == to) continue;
          std::copy(calls[from]->floats.begin() + begins[from],
                    calls[from]->floats.begin() + begins[from + 1],
                    calls[to]->floats.begin() + begins[from]);
        }
      }
    });
    call->floats = values;
    call->counts = counts;
    return begin(std::move(call));
  }

  Request begin_exchange(Vector<const float> send, const std::vector<int64_t>& send_counts,
                         Vector<float> receive,
                         const std::vector<int64_t>& receive_counts) override {
    auto call = new_call("exchange", [](const Calls& calls) {
      for (size_t from = 0; from < calls.size(); ++from) {
        for (size_t to = 0; to < calls.size(); ++to) {
          require(calls[from]->counts[to] == calls[to]->receive_counts[from],
                  "what is sent is what is expected");
          const int64_t at = part_begins(calls[from]->counts)[to];
          std::copy_n(calls[from]->send.begin() + at, calls[from]->counts[to],
                      calls[to]->floats.begin() + part_begins(calls[to]->receive_counts)[from]);
        }
      }
    });
    call->send = send;
    call->counts = send_counts;
    call->floats = receive;
    call->receive_counts = receive_counts;
    return begin(std::move(call));
  }

 private:
  static void reduce_doubles(const Calls& calls, Reduction reduction) {
    for (size_t i = 0; i < calls[0]->doubles.size(); ++i) {
      double value = calls[0]->doubles[i];
      for (size_t r = 1; r < calls.size(); ++r) {
        const double other = calls[r]->doubles[i];
        if (reduction == Reduction::kSum) value += other;
        if (reduction == Reduction::kMin) value = std::min(value, other);
        if (reduction == Reduction::kMax) value = std::max(value, other);
      }
      for (Call* c : calls) c->doubles[i] = value;
    }
  }

  static std::unique_ptr<Call> new_call(std::string what, std::function<void(const Calls&)> act) {
    auto call = std::make_unique<Call>();
    call->what = std::move(what);
    call->all_are_here = std::move(act);
    return call;
  }
  std::shared_ptr<Meeting> join(const char* what, std::function<void(const Calls&)> act) {
    return join(new_call(what, std::move(act)));
  }
  std::shared_ptr<Meeting> join(std::unique_ptr<Call> call) {
    size_t number = 0;
    {
      const std::lock_guard lock(mutex_);
      number = calls_++;
    }
    return room_.join(size_t(rank_), number, std::move(call));
  }
  Request begin(std::unique_ptr<Call> call) {
    return Request(std::make_unique<MeetingTransfer>(room_, join(std::move(call))));
  }

  Room& room_;
  int rank_, size_;
  std::string host_;
  std::mutex mutex_;
  size_t calls_ = 0;
};

}  // namespace

void run_ranks(int ranks, const std::function<void(Communicator&)>& body) {
  Room room(ranks);
  std::mutex mutex;
  std::exception_ptr first;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        ThreadRank communicator(room, rank, ranks);
        body(communicator);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!first) first = std::current_exception();
        room.break_up();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (first) std::rethrow_exception(first);
}

}  // namespace weft
