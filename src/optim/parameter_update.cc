#include "optim/parameter_update.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "optim/update_tiles.h"

namespace weft {

ParameterUpdate::ParameterUpdate(const Parts& parts) : parts_(parts) {
  require(parts.state.size() == parts.optimizer.state_names().size() &&
              parts.state.size() <= UpdateUnit::kMaxStateTensors,
          "the state is that of the optimizer");
}

const Parameter& ParameterUpdate::parameter_at(size_t index) const {
  return parts_.weights.values().table->all()[index];
}

bool ParameterUpdate::updates_by_tile() const {
  return !parts_.timing.defers() && parts_.optimizer.granularity() == UpdateGranularity::kElement;
}

void ParameterUpdate::append(Program& program, size_t parameter) const {
  const Tiled<float>& dweight = parts_.dweights.at(parameter);
  const auto add = [&](Range rows, Range cols, int64_t i) {
    program.add({.name = parameter_at(parameter).op_name("update", i),
                 .phase = Phase::kUpdate,
                 .reads = tiles_of({dweight.over(rows, cols), reads()}),
                 .writes = writes(parameter, rows, cols),
                 .run = [this, parameter, rows, cols](std::byte*) {
                   update_block(parameter, rows, cols);
                 }});
  };
  if (parts_.optimizer.granularity() == UpdateGranularity::kMatrix) {
    add({0, dweight.rows()}, {0, dweight.cols()}, 0);
  } else {
    UpdateTiles(dweight).for_each(add);
  }
}

Epilogue ParameterUpdate::on_tile(size_t parameter) const {
  Epilogue epilogue;
  epilogue.writes = [this, parameter](Range rows, Range cols) {
    const std::vector<TileId> partial = parts_.norm.partial_tile(parameter, rows, cols);
    return updates_by_tile() ? tiles_of({partial, writes(parameter, rows, cols)}) : partial;
  };
  epilogue.run = [this, parameter, updates = updates_by_tile()](Matrix<float> gradient, Range rows,
                                                                Range cols) {
    parts_.norm.add_squares(parameter, gradient, rows, cols);
    if (updates) update_block(parameter, rows, cols);
  };
  return epilogue;
}

std::vector<TileId> ParameterUpdate::writes(size_t parameter, Range rows, Range cols) const {
  std::vector<TileId> tiles = parts_.weights.at(parameter).over(rows, cols);
  for (const TiledParameters& tensor : parts_.state) {
    tiles = tiles_of({tiles, tensor.at(parameter).over(rows, cols)});
  }
  return tiles;
}

std::optional<UpdateStep> ParameterUpdate::step() const {
  std::optional<UpdateStep> step = parts_.timing.due();
  if (!step) return std::nullopt;
  step->grad_scale = parts_.norm.scale();
  if (!std::isfinite(step->grad_scale) || step->grad_scale <= 0.) return std::nullopt;
  return step;
}

void ParameterUpdate::update_block(size_t parameter, Range rows, Range cols) const {
  const std::optional<UpdateStep> now = step();
  if (!now) return;
  UpdateUnit unit = {.gradient = parts_.dweights.at(parameter).block(rows, cols),
                     .weights = parts_.weights.at(parameter).block(rows, cols),
                     .state = {}};
  for (size_t i = 0; i < parts_.state.size(); ++i) {
    unit.state[i] = parts_.state[i].at(parameter).block(rows, cols);
  }
  parts_.optimizer.update(parameter_at(parameter), *now, unit);
}

void ParameterUpdate::update(size_t parameter, Range elements) const {
  if (parts_.optimizer.granularity() == UpdateGranularity::kMatrix) {
    const Parameter& p = parameter_at(parameter);
    require(elements.begin == p.offset && elements.end >= p.offset + p.size(),
            "the elements are a whole parameter");
    update_block(parameter, {0, p.rows}, {0, p.cols});
    return;
  }
  const std::optional<UpdateStep> now = step();
  if (!now) return;
  // The elements may begin and end inside of a row, so they are one row of their own.
  const auto row_of = [&](const TiledParameters& of) {
    return Matrix<float>(of.values().data.data() + elements.begin, 1, elements.size());
  };
  UpdateUnit unit = {
      .gradient = row_of(parts_.dweights), .weights = row_of(parts_.weights), .state = {}};
  for (size_t i = 0; i < parts_.state.size(); ++i) unit.state[i] = row_of(parts_.state[i]);
  parts_.optimizer.update(parameter_at(parameter), *now, unit);
}

}  // namespace weft
