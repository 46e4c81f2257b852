#include "support/checking_executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <numeric>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/error.h"

namespace weft {
namespace {

// Calls use(bytes, offset) for every contiguous run of the tile's bytes; offset counts the tile's
// own bytes without the gaps.
template <typename Use>
void for_each_run(const Tile& tile, const Use& use) {
  if (tile.stride_bytes == tile.row_bytes) {
    use(std::span(tile.data, tile.rows * tile.row_bytes), size_t{0});
    return;
  }
  for (size_t row = 0; row < tile.rows; ++row) {
    use(std::span(tile.data + row * tile.stride_bytes, tile.row_bytes), row * tile.row_bytes);
  }
}

// Overwrites the tile with garbage; a second call restores it. Floats stay finite, so that they
// cannot vanish in a maximum or become a NaN that hides the next difference.
void scramble(const Tile& tile) {
  for_each_run(tile, [](std::span<std::byte> bytes, size_t) {
    for (std::byte& byte : bytes) byte ^= std::byte{0x55};
  });
}

// A copy of the bytes of all tiles, each as of its last save().
class Snapshot {
 public:
  explicit Snapshot(const TileTable& tiles) : tiles_(tiles) {
    size_t bytes = 0;
    for (TileId id = 0; id < tiles.size(); ++id) {
      begins_.push_back(bytes);
      bytes += tiles[id].rows * tiles[id].row_bytes;
    }
    bytes_.resize(bytes);
  }

  void save(TileId id) {
    for_each_run(tiles_[id], [&](std::span<std::byte> bytes, size_t offset) {
      std::memcpy(copy_of(id) + offset, bytes.data(), bytes.size());
    });
  }
  void restore(TileId id) {
    for_each_run(tiles_[id], [&](std::span<std::byte> bytes, size_t offset) {
      std::memcpy(bytes.data(), copy_of(id) + offset, bytes.size());
    });
  }
  bool holds(TileId id) {
    bool same = true;
    for_each_run(tiles_[id], [&](std::span<std::byte> bytes, size_t offset) {
      same = same && std::memcmp(bytes.data(), copy_of(id) + offset, bytes.size()) == 0;
    });
    return same;
  }

 private:
  std::byte* copy_of(TileId id) { return bytes_.data() + begins_[id]; }

  const TileTable& tiles_;
  std::vector<size_t> begins_;
  std::vector<std::byte> bytes_;
};

// A worker's scratch with a margin after it.
class Scratch {
 public:
  explicit Scratch(size_t bytes)
      : bytes_(arena_.allocate_bytes(bytes + kMargin), bytes + kMargin) {}

  // Runs the op on scratch full of `garbage`. Throws if the op writes past the size that it
  // requested.
  void run(const Op& op, std::byte garbage) {
    std::ranges::fill(bytes_, garbage);
    op.run(bytes_.data());
    while (op.poll && !op.poll()) std::this_thread::yield();
    const auto rest = bytes_.subspan(op.scratch_bytes);
    if (std::ranges::any_of(rest, [&](std::byte byte) { return byte != garbage; })) {
      throw failure(op.name.text(),
                    fmt::format("writes past its {} bytes of scratch", op.scratch_bytes));
    }
  }

 private:
  static constexpr size_t kMargin = 4096;
  Arena arena_;
  std::span<std::byte> bytes_;
};

constexpr std::byte kGarbage{0x3c};       // as floats: 0.0115
constexpr std::byte kOtherGarbage{0xff};  // as floats: NaN

class CheckingProgram : public PreparedProgram {
 public:
  explicit CheckingProgram(const Program& program)
      : program_(program),
        before_(program.tiles()),
        results_(program.tiles()),
        scratch_(program.scratch_bytes()) {}

  void run(Observer* observer) override {
    for (TileId id = 0; id < program_.tiles().size(); ++id) before_.save(id);
    for (size_t i = 0; i < program_.ops().size(); ++i) {
      if (observer != nullptr) observer->op_started(i, 0);
      check(program_.ops()[i]);
      if (observer != nullptr) observer->op_ended(i, 0);
    }
  }

 private:
  // On entry, before_ holds the memory before the op; on return, the memory after it.
  void check(const Op& op) {
    const std::vector<TileId> not_written = all_but(op.writes);
    const std::vector<TileId> undeclared = without(not_written, op.reads);

    scratch_.run(op, kGarbage);
    expect_unchanged(op, not_written);
    for (TileId id : op.writes) results_.save(id);

    check_scratch(op);
    check_tiles(op, undeclared);
    for (TileId id : op.writes) before_.save(id);
  }

  // The results must not depend on the previous contents of the scratch.
  void check_scratch(const Op& op) {
    rerun(op, {}, kOtherGarbage);
    for (TileId id : op.writes) {
      if (results_.holds(id)) continue;
      throw failure(op.name.text(),
                    fmt::format("leaves other bits in tile '{}' when its scratch begins "
                                "with other contents",
                                name_of(id)));
    }
  }

  // The results must not depend on undeclared tiles, and the op must not write to them. Comparing
  // them after the first run is not enough, because an op may write the bits that are already
  // there.
  void check_tiles(const Op& op, const std::vector<TileId>& undeclared) {
    rerun(op, undeclared, kGarbage);
    for (TileId id : undeclared) scramble(program_.tiles()[id]);
    expect_unchanged(op, undeclared);
    if (!gives_the_results(op)) blame_undeclared_read(op, undeclared);
  }

  // Runs the op again on the memory before it, with some tiles scrambled.
  void rerun(const Op& op, const std::vector<TileId>& to_scramble, std::byte garbage) {
    for (TileId id : op.writes) before_.restore(id);
    for (TileId id : to_scramble) scramble(program_.tiles()[id]);
    scratch_.run(op, garbage);
  }

  bool gives_the_results(const Op& op) {
    return std::ranges::all_of(op.writes, [&](TileId id) { return results_.holds(id); });
  }

  // Finds the tile that makes the difference by scrambling one at a time.
  [[noreturn]] void blame_undeclared_read(const Op& op, const std::vector<TileId>& undeclared) {
    for (TileId id : undeclared) {
      rerun(op, {id}, kGarbage);
      scramble(program_.tiles()[id]);
      if (gives_the_results(op)) continue;
      throw failure(op.name.text(),
                    fmt::format("reads tile '{}', which it does not declare", name_of(id)));
    }
    throw failure(op.name.text(),
                  "reads tiles that it does not declare, which matter only together");
  }

  void expect_unchanged(const Op& op, const std::vector<TileId>& tiles) {
    for (TileId id : tiles) {
      if (before_.holds(id)) continue;
      throw failure(
          op.name.text(),
          fmt::format("writes to tile '{}', which it does not declare as written", name_of(id)));
    }
  }

  const std::string& name_of(TileId id) const { return program_.tiles()[id].name; }

  // Both lists are sorted, as Program::add leaves them.
  static std::vector<TileId> without(const std::vector<TileId>& ids,
                                     const std::vector<TileId>& removed) {
    std::vector<TileId> rest;
    std::ranges::set_difference(ids, removed, std::back_inserter(rest));
    return rest;
  }
  std::vector<TileId> all_but(const std::vector<TileId>& ids) const {
    std::vector<TileId> all(program_.tiles().size());
    std::iota(all.begin(), all.end(), TileId{0});
    return without(all, ids);
  }

  const Program& program_;
  Snapshot before_, results_;
  Scratch scratch_;
};

}  // namespace

std::unique_ptr<PreparedProgram> CheckingExecutor::prepare(const Program& program) const {
  return std::make_unique<CheckingProgram>(program);
}

}  // namespace weft
