// Program: a training step as data. It is a list of small operations, and its meaning is to run
// them front to back. docs/step_program.md is its contract.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "program/tile.h"

namespace weft {

// The part of a step that an op belongs to, for timelines and efficiency tables. Executors use it
// only to start communication first.
enum class Phase : uint8_t { kData, kForward, kBackward, kUpdate, kCommunication };

const char* phase_name(Phase phase);

// The name of an op, in parts. Traces, tables and cost models group ops by these parts, so no code
// parses a name.
struct OpName {
  static constexpr int64_t kNone = -1;

  // What the op does: "attention/backward". Ops of one kind do the same to other data.
  std::string kind;
  int64_t layer = kNone;       // the transformer block that it belongs to
  std::string parameter = {};  // the tensor whose weight or gradient it works on: "qkvw"
  int64_t index = kNone;       // the chunk of rows or the bucket that it works on
  std::string tile = {};       // the tile of its result: "b0,h2"

  // The name as a path: "block3/attention/backward[b0,h2]", "block3/qkvw/update[2]",
  // "classifier0/logits[v1]" (the index follows the first part of the kind).
  std::string text() const;

  bool operator==(const OpName&) const = default;
};

// Reads and writes are the tiles that `run` may touch; a read-modify-write is a write. Everything
// else that `run` reads must not change while a program runs.
struct Op {
  OpName name;
  Phase phase = Phase::kForward;
  std::vector<TileId> reads;
  std::vector<TileId> writes;
  std::function<void(std::byte* scratch)> run;
  size_t scratch_bytes = 0;  // of 64-byte aligned memory, contents undefined, given to run

  // For an op that waits for something outside of the program, such as a message. Such an op ends
  // when poll returns true after `run` has returned. Workers call poll repeatedly, one at a time;
  // it must never block, and the op occupies no worker between the calls.
  std::function<bool()> poll = {};

  // For an op that only begins a transfer: the name of the later op whose poll waits for its end.
  std::optional<OpName> begins = {};

  // Floating-point operations of its matrix products, for estimates; 0 if it computes none.
  double flops = 0.;

  // Bytes that it reads plus twice the bytes that it writes (a write fetches the line first), for
  // estimates. 0: all bytes of its tiles.
  size_t moved_bytes = 0;
};

// The op's moved_bytes; if that is 0, the bytes of its reads plus twice the bytes of its writes.
size_t moved_bytes(const Op& op, const TileTable& tiles);

// Joins the tiles of several operands into the list of one op.
std::vector<TileId> tiles_of(std::initializer_list<std::vector<TileId>> lists);

// REQUIRES: the table outlives the program and does not change while the program runs.
class Program {
 public:
  Program(std::string name, const TileTable& tiles) : name_(std::move(name)), tiles_(&tiles) {}

  // Appends the op. Duplicate tiles are removed, and a tile that is both read and written counts as
  // written.
  void add(Op op);

  const std::string& name() const { return name_; }
  const std::vector<Op>& ops() const { return ops_; }
  const TileTable& tiles() const { return *tiles_; }

  // The largest scratch that any op needs.
  size_t scratch_bytes() const { return scratch_bytes_; }

  // Throws Error if an op has no name, no function, writes nothing or names a tile that is not in
  // the table, if two ops share a name, or if tiles overlap.
  void validate() const;

 private:
  std::string name_;
  const TileTable* tiles_;
  std::vector<Op> ops_;
  size_t scratch_bytes_ = 0;
};

// Cuts the list, front to back, into the longest runs in which no two ops conflict. Two ops
// conflict if one writes a tile that the other reads or writes. [begins[i], begins[i + 1]) is run
// i, and the last entry is the number of ops.
std::vector<size_t> independent_runs(const Program& program);

// Returns for each op the earlier ops that it must wait for, in list order and without duplicates.
// Most transitive dependences are left out.
std::vector<std::vector<uint32_t>> dependences(const Program& program);

}  // namespace weft
