// TiledParameters: one buffer of the parameter table's layout (weights, gradients or a moment), cut
// into the tiles that ops declare.
#pragma once

#include <string>
#include <vector>

#include "model/parameters.h"
#include "model/tiling.h"
#include "program/tiled.h"

namespace weft {

class TiledParameters {
 public:
  // Tiles are named prefix + the parameter's name: "weights/block3/qkvw[2]".
  TiledParameters(TileTable& tiles, const std::string& prefix, const ParameterView& values,
                  const Tiling& tiling)
      : values_(values) {
    for (const Parameter& p : values.table->all()) {
      tiled_.emplace_back(tiles, prefix + p.name, values.matrix(p), tiling.parameter_rows(p),
                          tiling.parameter_columns(p));
    }
  }

  const ParameterView& values() const { return values_; }
  const Tiled<float>& at(size_t index) const { return tiled_[index]; }
  const Tiled<float>& get(Tensor tensor, int64_t layer = 0) const {
    return tiled_[values_.table->index(tensor, layer)];
  }

 private:
  ParameterView values_;
  std::vector<Tiled<float>> tiled_;
};

}  // namespace weft
