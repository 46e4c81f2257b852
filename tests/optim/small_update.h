// SmallUpdate: gradients, weights and optimizer state of a small model, cut into tiles.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/rng.h"
#include "exec/executor.h"
#include "model/tiled_parameters.h"
#include "optim/deferred_update.h"
#include "optim/gradient_norm.h"
#include "optim/parameter_update.h"

namespace weft {

// The 780 columns of fcprojw are cut into several tiles.
inline constexpr Config kSmallModel = {.L = 1, .NH = 3, .C = 195, .T = 7, .V = 31};

struct SmallUpdate {
  // REQUIRES: the rule outlives this.
  explicit SmallUpdate(const Optimizer& rule, double clip = 0., bool defers = false)
      : table(kSmallModel),
        tiling(choose_tiling(kSmallModel, 3, 7)),
        weights(tiles, "weights/", random_values(1), tiling),
        dweights(tiles, "dweights/", random_values(2), tiling),
        state(make_state(rule)),
        timing(rule, defers),
        norm(arena, tiles, dweights, clip),
        update({rule, timing, norm, weights, dweights, state}) {}

  ParameterView random_values(uint64_t seed) {
    const ParameterView view{&table, arena.vector<float>(table.buffer_size())};
    for (const Parameter& p : table.all()) {
      for (int64_t i = 0; i < p.size(); ++i) {
        view.vector(p)[size_t(i)] = float(random_normal(seed, 0, uint64_t(p.offset + i)));
      }
    }
    return view;
  }

  std::vector<TiledParameters> make_state(const Optimizer& rule) {
    std::vector<TiledParameters> all;
    for (const std::string& name : rule.state_names()) {
      const ParameterView zeros{&table, arena.vector<float>(table.buffer_size())};
      all.emplace_back(tiles, name + "/", zeros, tiling);
    }
    return all;
  }

  void run(const Program& program) const {
    program.validate();
    make_executor("sequential", 1)->prepare(program)->run();
  }

  // Norm and updates of all parameters, in one program.
  void run_step() const {
    Program program("update", tiles);
    for (size_t p = 0; p < table.all().size(); ++p) norm.append_partials(program, p);
    norm.append_norm(program);
    for (size_t p = 0; p < table.all().size(); ++p) update.append(program, p);
    run(program);
  }

  std::vector<float> weights_now() const {
    return {weights.values().data.begin(), weights.values().data.end()};
  }

  Arena arena;
  TileTable tiles;
  ParameterTable table;
  Tiling tiling;
  TiledParameters weights, dweights;
  std::vector<TiledParameters> state;
  DeferredUpdate timing;
  GradientNorm norm;
  ParameterUpdate update;
};

}  // namespace weft
