#include "parallel/transfer_ops.h"

#include <string>
#include <utility>

#include "base/error.h"

namespace weft {
namespace {

template <typename Work>
void report_errors_as(const std::string& op, const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    throw failure(op, error.message(), error.hint());
  }
}

}  // namespace

void TransferOps::append_start(Program& program, const OpName& name, std::vector<TileId> reads,
                               std::vector<TileId> writes, PendingTransfers& pending, Begin begin) {
  OpName start = name;
  start.kind += "/start";
  program.add({.name = start,
               .phase = Phase::kCommunication,
               .reads = std::move(reads),
               .writes = tiles_of({std::move(writes), channel_.all()}),
               .run =
                   [&pending, begin = std::move(begin), name = name.text(), this](std::byte*) {
                     pending.clear();
                     report_errors_as(name, [&] { begin(pending); });
                     meter_.begins(&pending);
                   },
               .begins = name});
}

void TransferOps::append_finish(Program& program, const OpName& name, std::vector<TileId> writes,
                                PendingTransfers& pending) {
  program.add({.name = name,
               .phase = Phase::kCommunication,
               .reads = {},
               .writes = std::move(writes),
               .run = [](std::byte*) {},
               .poll =
                   [&pending, name = name.text(), this] {
                     bool done = true;
                     report_errors_as(name, [&] {
                       for (Request& request : pending) done = done && request.test();
                     });
                     if (done) meter_.ends(&pending);
                     return done;
                   }});
}

}  // namespace weft
