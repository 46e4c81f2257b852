#include "program/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/error.h"

namespace weft {
namespace {

size_t bytes_of(const std::vector<TileId>& ids, const TileTable& tiles) {
  size_t bytes = 0;
  for (const TileId id : ids) bytes += tiles[id].rows * tiles[id].row_bytes;
  return bytes;
}

void sort_unique(std::vector<TileId>& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

}  // namespace

std::string OpName::text() const {
  std::string numbered = kind;
  if (index != kNone) {
    numbered.insert(std::min(kind.find('/'), kind.size()), fmt::format("{}", index));
  }
  return fmt::format("{}{}{}{}", layer == kNone ? "" : fmt::format("block{}/", layer),
                     parameter.empty() ? "" : parameter + '/', numbered,
                     tile.empty() ? "" : '[' + tile + ']');
}

const char* phase_name(Phase phase) {
  switch (phase) {
    case Phase::kData:
      return "data";
    case Phase::kForward:
      return "forward";
    case Phase::kBackward:
      return "backward";
    case Phase::kUpdate:
      return "update";
    case Phase::kCommunication:
      return "communication";
  }
  return "unknown";
}

size_t moved_bytes(const Op& op, const TileTable& tiles) {
  if (op.moved_bytes > 0) return op.moved_bytes;
  return bytes_of(op.reads, tiles) + 2 * bytes_of(op.writes, tiles);
}

std::vector<TileId> tiles_of(std::initializer_list<std::vector<TileId>> lists) {
  std::vector<TileId> joined;
  for (const std::vector<TileId>& list : lists) {
    joined.insert(joined.end(), list.begin(), list.end());
  }
  return joined;
}

void Program::add(Op op) {
  sort_unique(op.reads);
  sort_unique(op.writes);
  std::erase_if(op.reads, [&](TileId id) {
    return std::binary_search(op.writes.begin(), op.writes.end(), id);
  });
  scratch_bytes_ = std::max(scratch_bytes_, op.scratch_bytes);
  ops_.push_back(std::move(op));
}

void Program::validate() const {
  const auto refuse = [&](const Op& op, const char* what) {
    throw failure("program.validate",
                  fmt::format("op '{}' of '{}' {}", op.name.text(), name_, what));
  };
  std::unordered_set<std::string> names;
  for (const Op& op : ops_) {
    if (op.name.kind.empty()) refuse(op, "has no name");
    if (!names.insert(op.name.text()).second) refuse(op, "has the name of another op");
    if (!op.run) refuse(op, "has no function");
    if (op.writes.empty()) refuse(op, "writes nothing");
    for (const std::vector<TileId>* list : {&op.reads, &op.writes}) {
      if (!list->empty() && list->back() >= tiles_->size()) refuse(op, "names an unknown tile");
    }
  }
  tiles_->validate();
}

std::vector<size_t> independent_runs(const Program& program) {
  // By tile, the run in which it was last read or written; runs are numbered from 1.
  std::vector<size_t> read_in(program.tiles().size(), 0), written_in(program.tiles().size(), 0);
  std::vector<size_t> begins = {0};
  const std::vector<Op>& ops = program.ops();
  for (size_t i = 0; i < ops.size(); ++i) {
    const size_t run = begins.size();
    const bool conflicts = std::any_of(ops[i].reads.begin(), ops[i].reads.end(),
                                       [&](TileId id) { return written_in[id] == run; }) ||
                           std::any_of(ops[i].writes.begin(), ops[i].writes.end(), [&](TileId id) {
                             return written_in[id] == run || read_in[id] == run;
                           });
    if (conflicts) begins.push_back(i);
    for (TileId id : ops[i].reads) read_in[id] = begins.size();
    for (TileId id : ops[i].writes) written_in[id] = begins.size();
  }
  begins.push_back(ops.size());
  return begins;
}

std::vector<std::vector<uint32_t>> dependences(const Program& program) {
  constexpr uint32_t kNone = UINT32_MAX;
  std::vector<uint32_t> writer(program.tiles().size(), kNone);
  std::vector<std::vector<uint32_t>> readers(program.tiles().size());
  std::vector<std::vector<uint32_t>> result;
  for (uint32_t i = 0; i < program.ops().size(); ++i) {
    const Op& op = program.ops()[i];
    std::vector<uint32_t> waits;
    for (TileId id : op.reads) {
      if (writer[id] != kNone) waits.push_back(writer[id]);
      readers[id].push_back(i);
    }
    for (TileId id : op.writes) {
      // If there are readers since the last write, they already wait for that write.
      if (readers[id].empty() && writer[id] != kNone) waits.push_back(writer[id]);
      waits.insert(waits.end(), readers[id].begin(), readers[id].end());
      readers[id].clear();
      writer[id] = i;
    }
    sort_unique(waits);
    result.push_back(std::move(waits));
  }
  return result;
}

}  // namespace weft
