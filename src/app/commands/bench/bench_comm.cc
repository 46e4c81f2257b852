// `weft bench comm`: the time of each collective between these ranks, compared with their link.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>
#include <utility>

#include "app/cli/format.h"
#include "app/cli/rank_failures.h"
#include "app/commands/bench/bench_options.h"
#include "comm/agreement.h"
#include "comm/connect.h"
#include "measure/machine.h"
#include "measure/time_spread.h"

namespace weft {
namespace {

using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr double kMeasuredSeconds = 0.1;  // of each transfer at each size
constexpr double kLeastRepetitions = 5, kMostRepetitions = 200;
constexpr int64_t kFloat = sizeof(float);  // bytes

struct CommOptions {
  int64_t largest_mb = 16;
  double link_gbps = 0.;  // 0: the rate of the point-to-point transfer
  bool as_json = false;
};

bool parse(const Arguments& arguments, CommOptions& o) {
  Options flags("bench comm",
                "Times each collective that training uses between the ranks that mpirun or srun "
                "started, by size, against their link.");
  flags.integer("--largest-mb", o.largest_mb, {1, 4096}, "Largest buffer of a rank, in MiB");
  flags.real(
      "--link-gbps", o.link_gbps, {0., 1e6},
      "Gbit/s of a rank's link; 0 = what the largest message from rank 0 to the last one reaches");
  flags.flag("--json", o.as_json, "Print a JSON object");
  return flags.parse(arguments);
}

// One size of one transfer.
struct Timing {
  std::string name;
  int64_t bytes = 0;       // of a rank's buffer
  double sent_bytes = 0.;  // the least that the busiest rank sends
  TimeSpread seconds;      // until the last rank has its result

  // By the shortest time, since other processes only ever add to it.
  double bytes_per_s() const { return sent_bytes / seconds.min; }
};

struct CommResult {
  int ranks = 1;
  size_t hosts = 1;
  double latency_s = 0.;  // of a message of one float
  double link_bytes_per_s = 0.;
  bool link_is_given = false;
  std::vector<Timing> timings;
};

// The buffers of a rank, and the transfers between ranks.
class CommBench {
 public:
  CommBench(Communicator& communicator, int64_t floats)
      : communicator_(communicator),
        values_(static_cast<size_t>(floats)),
        received_(static_cast<size_t>(floats + communicator.size())) {}

  // Sends a message from the first rank to the last and back; half of the time is that of one
  // message.
  Timing message(int64_t floats) {
    const auto last = size_t(communicator_.size() - 1);
    Timing timing = time("message", floats, 1., [&] {
      pass_on(0, last, floats);
      pass_on(last, 0, floats);
    });
    for (double* s : {&timing.seconds.min, &timing.seconds.median, &timing.seconds.max}) *s /= 2.;
    return timing;
  }

  // The collectives of training (parallel/strategy.h).
  std::vector<Timing> collectives(int64_t floats) {
    const double others = 1. - 1. / communicator_.size();  // of a buffer, the others' shares
    const std::vector<int64_t> counts = even_counts(floats);
    const int64_t mine = counts[size_t(communicator_.rank())];
    const std::vector<int64_t> as_many(counts.size(), mine);
    const Vector<float> values = Vector<float>(values_).first(size_t(floats));
    const Vector<float> parts = Vector<float>(received_).first(size_t(mine * communicator_.size()));
    Communicator& c = communicator_;
    return {
        time("reduce", floats, 1., [&] { wait(c.begin_reduce(values, 0)); }),
        time("broadcast", floats, 1., [&] { wait(c.begin_broadcast(values, 0)); }),
        time("all-reduce", floats, 2. * others, [&] { wait(c.begin_all_reduce(values)); }),
        time("all-gather", floats, others, [&] { wait(c.begin_all_gather(values, counts)); }),
        time("exchange", floats, others,
             [&] { wait(c.begin_exchange(values, counts, parts, as_many)); }),
    };
  }

 private:
  static void wait(Request request) {
    while (!request.test()) std::this_thread::yield();
  }

  std::vector<int64_t> even_counts(int64_t floats) const {
    std::vector<int64_t> counts;
    for (int64_t r = 0; r < communicator_.size(); ++r) {
      counts.push_back(floats * (r + 1) / communicator_.size() - floats * r / communicator_.size());
    }
    return counts;
  }

  // Sends the buffer of rank `from` to rank `to`; the other ranks do nothing.
  void pass_on(size_t from, size_t to, int64_t floats) {
    const auto me = size_t(communicator_.rank());
    std::vector<int64_t> sent(size_t(communicator_.size()), 0), arriving = sent;
    if (me == from) sent[to] = floats;
    if (me == to) arriving[from] = floats;
    const auto size = [&](bool has_any) { return has_any ? size_t(floats) : size_t{0}; };
    wait(communicator_.begin_exchange(Vector<float>(values_).first(size(me == from)), sent,
                                      Vector<float>(received_).first(size(me == to)), arriving));
  }

  // All ranks begin a repetition together, and it ends when it has ended on the last rank.
  std::vector<double> repeat(int64_t times, const std::function<void()>& transfer) const {
    std::vector<double> seconds;
    for (int64_t i = 0; i < times; ++i) {
      communicator_.barrier();
      const Clock::time_point start = Clock::now();
      transfer();
      seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    }
    communicator_.all_reduce(seconds, Reduction::kMax);
    return seconds;
  }

  Timing time(const char* name, int64_t floats, double sent_share,
              const std::function<void()>& transfer) const {
    const double first = repeat(2, transfer).back();  // the same on all ranks
    const double times =
        std::clamp(kMeasuredSeconds / std::max(first, 1e-9), kLeastRepetitions, kMostRepetitions);
    return {name, floats * kFloat, sent_share * double(floats * kFloat),
            spread_of(repeat(int64_t(times), transfer))};
  }

  Communicator& communicator_;
  std::vector<float> values_, received_;  // zero, and so are their sums
};

// Returns sizes in floats: one, and 4 KiB times powers of 16, up to the largest.
std::vector<int64_t> sizes_up_to(int64_t largest) {
  std::vector<int64_t> sizes = {1};
  for (int64_t size = 1024; size < largest; size *= 16) sizes.push_back(size);
  sizes.push_back(largest);
  return sizes;
}

size_t count_hosts(Communicator& communicator) {
  const std::vector<std::string> hosts = communicator.gather(communicator.host());
  return std::set<std::string>(hosts.begin(), hosts.end()).size();
}

CommResult measure(const CommOptions& o, Communicator& communicator) {
  CommResult result;
  result.ranks = communicator.size();
  result.hosts = count_hosts(communicator);
  if (result.ranks == 1) return result;
  const int64_t largest = (o.largest_mb << 20) / kFloat;
  const std::vector<int64_t> sizes = sizes_up_to(largest);
  CommBench bench(communicator, largest);
  for (const int64_t size : sizes) result.timings.push_back(bench.message(size));
  result.latency_s = result.timings.front().seconds.min;
  result.link_is_given = o.link_gbps > 0.;
  result.link_bytes_per_s = o.link_gbps * 1e9 / 8.;
  // Takes the largest size, since small messages may still lie in a buffer on the way.
  if (!result.link_is_given) result.link_bytes_per_s = result.timings.back().bytes_per_s();
  for (const int64_t size : sizes) {
    for (Timing& timing : bench.collectives(size)) result.timings.push_back(std::move(timing));
  }
  std::ranges::stable_sort(result.timings, {}, &Timing::bytes);
  return result;
}

ordered_json to_json(const Timing& t, const CommResult& r) {
  return {{"transfer", t.name},
          {"bytes", t.bytes},
          {"sent_bytes", t.sent_bytes},
          {"us",
           {{"min", 1e6 * t.seconds.min},
            {"median", 1e6 * t.seconds.median},
            {"max", 1e6 * t.seconds.max}}},
          {"bytes_per_s", t.bytes_per_s()},
          {"share", t.bytes_per_s() / r.link_bytes_per_s}};
}

void print_result_json(const CommResult& r) {
  ordered_json json = {
      {"bench", "comm"},
      {"version", version()},
      {"commit", git_commit()},
      {"cpu", cpu_name()},
      {"mpi", mpi_library()},
      {"ranks", r.ranks},
      {"hosts", r.hosts},
      {"latency_us", r.ranks > 1 ? ordered_json(1e6 * r.latency_s) : ordered_json()},
      {"link_bytes_per_s", r.ranks > 1 ? ordered_json(r.link_bytes_per_s) : ordered_json()},
      {"link_is_given", r.link_is_given},
      {"transfers", ordered_json::array()}};
  for (const Timing& t : r.timings) json["transfers"].push_back(to_json(t, r));
  print_json(json);
}

void print_table(const CommResult& r) {
  if (r.ranks == 1) {
    fmt::print("1 rank: nothing is sent. mpirun -np 2 weft bench comm, on the hosts to measure\n");
    return;
  }
  fmt::print("{} ranks on {} {}, {}: a message takes {:.1f} us, and a link carries {}B/s{}\n",
             r.ranks, r.hosts, r.hosts == 1 ? "host" : "hosts", mpi_library(), 1e6 * r.latency_s,
             format_large(r.link_bytes_per_s), r.link_is_given ? " (--link-gbps)" : "");
  int64_t bytes = 0;
  for (const Timing& t : r.timings) {
    if (t.bytes != bytes) {
      fmt::print("\n{:<15} {:>12} {:>12} {:>12} {:>12} {:>9}\n",
                 fmt::format("{} bytes", format_count(t.bytes)), "least us", "median us", "max us",
                 "MB/s", "of link");
    }
    bytes = t.bytes;
    fmt::print("{:<15} {:>12.1f} {:>12.1f} {:>12.1f} {:>12.2f} {:>9}\n", t.name,
               1e6 * t.seconds.min, 1e6 * t.seconds.median, 1e6 * t.seconds.max,
               t.bytes_per_s() / 1e6, format_percent(t.bytes_per_s() / r.link_bytes_per_s));
  }
  fmt::print(
      "\nbytes: of a rank's buffer. MB/s: what the rank that sends the most must send, by the "
      "least\n"
      "time until the last rank is done. of link: {}.\n",
      r.link_is_given ? "of --link-gbps"
                      : fmt::format("of the largest message from rank 0 to rank {}", r.ranks - 1));
}

}  // namespace

int bench_comm(const Arguments& arguments) {
  const std::unique_ptr<Communicator> communicator = connect();
  return run_as_rank(*communicator, [&] {
    CommOptions o;
    bool runs = false;
    on_all_ranks(*communicator, [&] { runs = parse(arguments, o); });
    if (!runs) return 0;
    const CommResult result = measure(o, *communicator);
    if (communicator->rank() != 0) return 0;
    if (o.as_json) {
      print_result_json(result);
    } else {
      print_table(result);
    }
    return 0;
  });
}

}  // namespace weft
