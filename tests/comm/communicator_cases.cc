#include "comm/communicator_cases.h"

#include <fmt/format.h>

#include <thread>

#include "base/error.h"

namespace weft {
namespace {

// Values that differ by rank and place, so that any mistake shows. They are whole numbers,
// whose sums are exact in any order.
float value(int64_t rank, int64_t i) { return float(1000 * (rank + 1) + 7 * (i % 97)); }

std::vector<float> values_of(int64_t rank, int64_t n) {
  std::vector<float> values(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) values[size_t(i)] = value(rank, i);
  return values;
}

float sum_of_ranks(const Communicator& c, int64_t i) {
  float sum = 0.f;
  for (int r = 0; r < c.size(); ++r) sum += value(r, i);
  return sum;
}

void expect(bool condition, const Communicator& c, const std::string& what) {
  if (!condition) throw failure("communicator", rank_name(c) + ": " + what);
}

void finish(Request& request) {
  while (!request.test()) std::this_thread::yield();
}
void finish(Request&& request) { finish(request); }

// Counts that are uneven on purpose; rank 1 of several has no elements.
std::vector<int64_t> uneven_counts(const Communicator& c) {
  std::vector<int64_t> counts;
  for (int r = 0; r < c.size(); ++r) counts.push_back(r == 1 ? 0 : 5 + 3 * r);
  return counts;
}

void check_small_things(Communicator& c) {
  c.barrier();
  std::vector<double> sums = {1., double(c.rank())};
  c.all_reduce(sums, Reduction::kSum);
  expect(sums[0] == c.size() && sums[1] == double(c.size() * (c.size() - 1)) / 2., c, "sum");
  std::vector<double> least = {10. - c.rank()}, most = {10. + c.rank()};
  c.all_reduce(least, Reduction::kMin);
  c.all_reduce(most, Reduction::kMax);
  expect(least[0] == 11. - c.size() && most[0] == 9. + c.size(), c, "minimum, maximum");

  const std::string mine(size_t(c.rank()) * 1000, char('a' + c.rank()));
  const std::vector<std::string> texts = c.gather(mine);
  expect(texts.size() == (c.rank() == 0 ? size_t(c.size()) : 0u), c, "gather: number");
  for (size_t r = 0; r < texts.size(); ++r) {
    expect(texts[r] == std::string(r * 1000, char('a' + r)), c, "gather: texts");
  }
  expect(c.broadcast(c.rank() == 0 ? "from rank 0" : "from elsewhere") == "from rank 0", c,
         "broadcast of a text");
  expect(c.broadcast("").empty(), c, "broadcast of nothing");
}

void check_sums(Communicator& c) {
  constexpr int64_t n = 1003;
  std::vector<float> all = values_of(c.rank(), n);
  finish(c.begin_all_reduce(all));
  for (int64_t i = 0; i < n; ++i) {
    expect(all[size_t(i)] == sum_of_ranks(c, i), c, fmt::format("all-reduce at {}", i));
  }
  std::vector<double> doubles = {0.5, 1. + c.rank()};
  finish(c.begin_all_reduce(Vector<double>(doubles)));
  expect(doubles[0] == 0.5 * c.size(), c, "all-reduce of doubles");

  for (int root = 0; root < c.size(); ++root) {
    std::vector<float> values = values_of(c.rank(), n);
    finish(c.begin_reduce(values, root));
    for (int64_t i = 0; i < n; ++i) {
      const float expected = c.rank() == root ? sum_of_ranks(c, i) : value(c.rank(), i);
      expect(values[size_t(i)] == expected, c, fmt::format("reduce to {} at {}", root, i));
    }
  }
}

void check_copies(Communicator& c) {
  constexpr int64_t n = 1003;
  for (int root = 0; root < c.size(); ++root) {
    std::vector<float> values = values_of(c.rank(), n);
    finish(c.begin_broadcast(values, root));
    expect(values == values_of(root, n), c, fmt::format("broadcast from {}", root));
  }

  const std::vector<int64_t> counts = uneven_counts(c), begins = part_begins(counts);
  std::vector<float> gathered = values_of(c.rank(), begins.back());
  finish(c.begin_all_gather(gathered, counts));
  for (int r = 0; r < c.size(); ++r) {
    for (int64_t i = begins[size_t(r)]; i < begins[size_t(r) + 1]; ++i) {
      expect(gathered[size_t(i)] == value(r, i), c, fmt::format("all-gather at {}", i));
    }
  }

  // Rank r sends r + 2 t floats to rank t.
  std::vector<int64_t> sent, received;
  for (int r = 0; r < c.size(); ++r) {
    sent.push_back(c.rank() + 2 * r);
    received.push_back(r + 2 * c.rank());
  }
  const std::vector<float> send = values_of(c.rank(), part_begins(sent).back());
  std::vector<float> receive(static_cast<size_t>(part_begins(received).back()));
  finish(c.begin_exchange(send, sent, receive, received));
  for (int r = 0; r < c.size(); ++r) {
    int64_t at_sender = 0;
    for (int t = 0; t < c.rank(); ++t) at_sender += r + 2 * t;
    for (int64_t i = 0; i < received[size_t(r)]; ++i) {
      expect(receive[size_t(part_begins(received)[size_t(r)] + i)] == value(r, at_sender + i), c,
             fmt::format("exchange, from {} at {}", r, i));
    }
  }
}

// Several transfers are under way at the same time and end in any order.
void check_many_at_once(Communicator& c) {
  constexpr int64_t kTransfers = 8, n = 20011;
  std::vector<std::vector<float>> values;
  std::vector<Request> requests;
  for (int64_t t = 0; t < kTransfers; ++t) {
    values.push_back(values_of(c.rank() + t, n));
    requests.push_back(t % 2 == 0 ? c.begin_all_reduce(values.back())
                                  : c.begin_broadcast(values.back(), int(t) % c.size()));
  }
  for (Request& request : requests) finish(request);
  for (int64_t t = 0; t < kTransfers; ++t) {
    for (const int64_t i : {int64_t{0}, n - 1}) {
      float expected = 0.f;
      for (int r = 0; r < c.size(); ++r) expected += value(r + t, i);
      if (t % 2 != 0) expected = value(t % c.size() + t, i);
      expect(values[size_t(t)][size_t(i)] == expected, c, fmt::format("transfer {} at {}", t, i));
    }
  }
}

void check_threads_that_test_at_once(Communicator& c) {
  std::vector<float> a = values_of(c.rank(), 50021), b = a;
  Request first = c.begin_all_reduce(a), second = c.begin_all_reduce(b);
  std::thread other([&] { finish(second); });
  finish(first);
  other.join();
  expect(a == b && a[1] == sum_of_ranks(c, 1), c, "two threads");
}

}  // namespace

void check_communicator(Communicator& communicator) {
  check_small_things(communicator);
  check_sums(communicator);
  check_copies(communicator);
  check_many_at_once(communicator);
  check_threads_that_test_at_once(communicator);
}

}  // namespace weft
