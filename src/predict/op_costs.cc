#include "predict/op_costs.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "measure/step_profile.h"
#include "timeline/op_path.h"

namespace weft {
namespace {

double bytes_of(const std::vector<TileId>& ids, const TileTable& tiles) {
  double bytes = 0.;
  for (const TileId id : ids) bytes += double(tiles[id].rows) * double(tiles[id].row_bytes);
  return bytes;
}

double moved_bytes(const Op& op, const TileTable& tiles) {
  if (op.moved_bytes > 0) return double(op.moved_bytes);
  return bytes_of(op.reads, tiles) + 2. * bytes_of(op.writes, tiles);
}

// How much of its kind's FLOPs an op has, in relation to the others.
double weight_of(const Op& op, const std::string& kind, const TileTable& tiles) {
  return kind.starts_with("attention/") ? 1. : bytes_of(op.writes, tiles);
}

double size_of(const OpWork& work) { return work.flops > 0. ? work.flops : work.bytes; }

// How far the one is from being the other; 0 where they are equal.
double distance(double a, double b) {
  return std::abs(std::log(std::max(a, 1.) / std::max(b, 1.)));
}

}  // namespace

std::vector<OpWork> work_of(const Program& program, const Config& config, int64_t B, int64_t T) {
  const std::map<std::string, double> flops = step_flops(config, B, T);
  std::map<std::string, double> weights;
  std::vector<OpWork> work;
  for (const Op& op : program.ops()) {
    const std::string kind = op_kind(op.name);
    weights[kind] += weight_of(op, kind, program.tiles());
    work.push_back({kind, 0., moved_bytes(op, program.tiles())});
  }
  for (size_t i = 0; i < work.size(); ++i) {
    const auto known = flops.find(work[i].kind);
    if (known == flops.end()) continue;
    const double weight = weight_of(program.ops()[i], work[i].kind, program.tiles());
    work[i].flops = known->second * weight / weights[work[i].kind];
  }
  return work;
}

const ThreadCosts& OpCosts::for_cores(int cores) const {
  const auto more = std::ranges::find_if(runs, [&](const auto& r) { return r.threads > cores; });
  return more == runs.begin() ? *more : *(more - 1);
}

OpSeconds seconds_of(const OpWork& work, const ThreadCosts& costs) {
  const KindCost* nearest = nullptr;
  std::pair<double, double> least;
  for (const KindCost& cost : costs.kinds) {
    if (cost.work.kind != work.kind || (cost.work.flops > 0.) != (work.flops > 0.)) continue;
    const std::pair<double, double> far = {distance(size_of(cost.work), size_of(work)),
                                           distance(cost.work.bytes, work.bytes)};
    if (nearest == nullptr || far < least) {
      nearest = &cost;
      least = far;
    }
  }
  if (nearest == nullptr) return {work.bytes / costs.thread_bytes_per_s(), false};
  const double size = size_of(nearest->work);
  return {size > 0. ? nearest->seconds * size_of(work) / size : nearest->seconds, true};
}

}  // namespace weft
