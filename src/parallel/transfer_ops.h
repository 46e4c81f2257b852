// TransferOps: transfers among ranks as pairs of ops, one that begins a transfer and one that waits
// for its end.
#pragma once

#include <functional>
#include <vector>

#include "base/arena.h"
#include "comm/request.h"
#include "parallel/communication_meter.h"
#include "program/program.h"
#include "program/tiled.h"

namespace weft {

// The requests of one pair of ops, between the run of the first and the end of the second.
using PendingTransfers = std::vector<Request>;

// The second op of a pair polls and occupies no worker. Between the two ops, no other op may touch
// the bytes of the transfer, so both ops write their tiles. Every first op also writes the tile
// `channel`, which keeps all ranks beginning their transfers in the order of the list, whatever
// their executors do.
//
// An error of a transfer is reported as an error of its op.
// REQUIRES: this, and the pending transfers, outlive the programs.
class TransferOps {
 public:
  TransferOps(Arena& arena, TileTable& tiles)
      : channel_(allocate_tiled<int32_t>(arena, tiles, "channel", 1, 1, 1, 1)) {}
  TransferOps(const TransferOps&) = delete;
  TransferOps& operator=(const TransferOps&) = delete;

  // `begin` adds the requests of the transfers that it begins to the list. The first op is named
  // name + "/start".
  using Begin = std::function<void(PendingTransfers& pending)>;
  void append_start(Program& program, const OpName& name, std::vector<TileId> reads,
                    std::vector<TileId> writes, PendingTransfers& pending, Begin begin);
  void append_finish(Program& program, const OpName& name, std::vector<TileId> writes,
                     PendingTransfers& pending);

  CommunicationMeter& meter() { return meter_; }

 private:
  Tiled<int32_t> channel_;  // (1, 1); no op uses the value
  CommunicationMeter meter_;
};

}  // namespace weft
