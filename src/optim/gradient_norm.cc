#include "optim/gradient_norm.h"

#include <cmath>

#include "kernels/adamw.h"

namespace weft {
namespace {

double squares_of(Matrix<const float> x) {
  double sum = 0.;
  for (int64_t r = 0; r < x.rows; ++r) sum += sum_of_squares(x.row(r));
  return sum;
}

}  // namespace

GradientNorm::GradientNorm(Arena& arena, TileTable& tiles, const TiledParameters& dweights,
                           double clip)
    : dweights_(dweights), clip_(clip) {
  int64_t partials = 0;
  for (size_t p = 0; p < dweights.values().table->all().size(); ++p) {
    update_tiles_.emplace_back(dweights.at(p));
    first_partial_.push_back(partials);
    partials += update_tiles_[p].count();
  }
  partials_ = allocate_tiled<double>(arena, tiles, "norm/partials", 1, partials, 1, 1);
  norm_ = allocate_tiled<double>(arena, tiles, "norm", 1, 1, 1, 1);
  scale_ = allocate_tiled<double>(arena, tiles, "norm/scale", 1, 1, 1, 1);
}

// docs/model.md#gradient-norm
void GradientNorm::append_partials(Program& program, size_t parameter) const {
  const Tiled<float>& dweight = dweights_.at(parameter);
  const Parameter& p = dweights_.values().table->all()[parameter];
  update_tiles_[parameter].for_each([&](Range rows, Range cols, int64_t i) {
    double& partial = partials_.matrix().at(0, partial_number(parameter, rows, cols));
    program.add({.name = p.op_name("norm/partials", i),
                 .phase = Phase::kUpdate,
                 .reads = dweight.over(rows, cols),
                 .writes = partial_tile(parameter, rows, cols),
                 .run = [gradient = dweight.block(rows, cols), &partial](std::byte*) {
                   partial = squares_of(gradient);
                 }});
  });
}

std::vector<TileId> GradientNorm::partial_tile(size_t parameter, Range rows, Range cols) const {
  const int64_t i = partial_number(parameter, rows, cols);
  return partials_.over_cols({i, i + 1});
}

void GradientNorm::add_squares(size_t parameter, Matrix<const float> gradient, Range rows,
                               Range cols) const {
  double& partial = partials_.matrix().at(0, partial_number(parameter, rows, cols));
  if (update_tiles_[parameter].begins(rows, cols)) partial = 0.;
  partial += squares_of(gradient);
}

void GradientNorm::append_norm(Program& program, const Tiled<double>& partials) const {
  program.add({.name = {.kind = "norm"},
               .phase = Phase::kUpdate,
               .reads = partials.all(),
               .writes = tiles_of({norm_.all(), scale_.all()}),
               .run = [partials = partials.matrix().row(0), clip = clip_,
                       norm = norm_.matrix().data, scale = scale_.matrix().data](std::byte*) {
                 double sum = 0.;
                 for (double partial : partials) sum += partial;
                 *norm = std::sqrt(sum);
                 // A norm that is not finite must not pass as "no clipping".
                 const bool within = *norm <= clip || clip <= 0.;
                 *scale = within ? 1. : clip / *norm;
               }});
}

}  // namespace weft
