#include "train/optimizer.h"

#include <fmt/format.h>

#include <cmath>

#include "kernels/elementwise.h"

namespace weft {
namespace {

// Calls emit(rows, cols, number) for every piece of a parameter that one op handles: a tile of a
// matrix, or a whole vector, which is too small to share out.
template <typename Emit>
void for_each_piece(const Tiled<float>& parameter, const Emit& emit) {
  if (parameter.rows() == 1) {
    emit(Range{0, 1}, Range{0, parameter.cols()}, 0);
    return;
  }
  int64_t number = 0;
  for (const Range& rows : parameter.row_ranges()) {
    for (const Range& cols : parameter.col_ranges()) emit(rows, cols, number++);
  }
}

int64_t pieces(const Tiled<float>& parameter) {
  int64_t count = 0;
  for_each_piece(parameter, [&](Range, Range, int64_t) { ++count; });
  return count;
}

}  // namespace

Optimizer::Optimizer(Arena& arena, TileTable& tiles, const AdamWSettings& settings,
                     const TiledParameters& weights, const TiledParameters& dweights,
                     const TiledParameters& m, const TiledParameters& v)
    : settings_(settings), weights_(weights), dweights_(dweights), m_(m), v_(v) {
  int64_t partials = 0;
  for (size_t p = 0; p < parameters(); ++p) {
    first_partial_.push_back(partials);
    partials += pieces(dweights.at(p));
  }
  partials_ = allocate_tiled<double>(arena, tiles, "norm/partials", 1, partials, 1, 1);
  norm_ = allocate_tiled<double>(arena, tiles, "norm", 1, 1, 1, 1);
  scale_ = allocate_tiled<double>(arena, tiles, "norm/scale", 1, 1, 1, 1);
}

size_t Optimizer::parameters() const { return weights_.values().table->all().size(); }

void Optimizer::append_reset(Program& program, size_t parameter) const {
  const Tiled<float>& dweight = dweights_.at(parameter);
  const std::string& name = weights_.values().table->all()[parameter].name;
  for_each_piece(dweight, [&](Range rows, Range cols, int64_t i) {
    program.add({.name = fmt::format("{}/reset[{}]", name, i),
                 .phase = Phase::kReset,
                 .reads = {},
                 .writes = dweight.over(rows, cols),
                 .run = [block = dweight.block(rows, cols)](std::byte*) { fill_zero(block); }});
  });
}

void Optimizer::append_norm_partials(Program& program, size_t parameter) const {
  const Tiled<float>& dweight = dweights_.at(parameter);
  const std::string& name = weights_.values().table->all()[parameter].name;
  for_each_piece(dweight, [&](Range rows, Range cols, int64_t i) {
    const int64_t slot = first_partial_[parameter] + i;
    program.add({.name = fmt::format("{}/norm[{}]", name, i),
                 .phase = Phase::kUpdate,
                 .reads = dweight.over(rows, cols),
                 .writes = partials_.over_cols({slot, slot + 1}),
                 .run = [gradient = dweight.block(rows, cols),
                         partial = &partials_.matrix().at(0, slot)](std::byte*) {
                   *partial = 0.;
                   for (int64_t r = 0; r < gradient.rows; ++r) {
                     *partial += sum_of_squares(gradient.row(r));
                   }
                 }});
  });
}

void Optimizer::append_norm(Program& program) const {
  program.add({.name = "norm",
               .phase = Phase::kUpdate,
               .reads = partials_.all(),
               .writes = tiles_of({norm_.all(), scale_.all()}),
               .run = [partials = partials_.matrix().row(0), clip = settings_.grad_clip,
                       norm = norm_.matrix().data, scale = scale_.matrix().data](std::byte*) {
                 double sum = 0.;
                 for (double partial : partials) sum += partial;
                 *norm = std::sqrt(sum);
                 // A norm that is not finite must not pass as "no clipping".
                 const bool within = *norm <= clip || clip <= 0.;
                 *scale = within ? 1. : clip / *norm;
               }});
}

void Optimizer::append_update(Program& program, size_t parameter) const {
  const Parameter& p = weights_.values().table->all()[parameter];
  const Tiled<float>& weight = weights_.at(parameter);
  const Tiled<float>&dweight = dweights_.at(parameter), &m = m_.at(parameter),
        &v = v_.at(parameter);
  const AdamWStep constants = {.beta1 = settings_.beta1,
                               .beta2 = settings_.beta2,
                               .eps = settings_.eps,
                               .weight_decay = p.decay ? settings_.weight_decay : 0.};
  const double* scale = clips() ? scale_.matrix().data : nullptr;
  for_each_piece(weight, [&](Range rows, Range cols, int64_t i) {
    program.add(
        {.name = fmt::format("{}/update[{}]", p.name, i),
         .phase = Phase::kUpdate,
         .reads =
             tiles_of({dweight.over(rows, cols), clips() ? scale_.all() : std::vector<TileId>{}}),
         .writes = tiles_of({weight.over(rows, cols), m.over(rows, cols), v.over(rows, cols)}),
         .run = [constants, scale, inputs = &inputs_, gradient = dweight.block(rows, cols),
                 w = weight.block(rows, cols), m = m.block(rows, cols),
                 v = v.block(rows, cols)](std::byte*) {
           AdamWStep step = constants;
           step.lr = inputs->lr;
           step.bias_correction1 = inputs->bias_correction1;
           step.bias_correction2 = inputs->bias_correction2;
           if (scale != nullptr) step.grad_scale = *scale;
           // Not finite: the run is about to stop, and the last weights must stay good.
           if (!std::isfinite(step.grad_scale) || step.grad_scale <= 0.) return;
           for (int64_t r = 0; r < w.rows; ++r) {
             adamw_update(step, gradient.row(r), w.row(r), m.row(r), v.row(r));
           }
         }});
  });
}

void Optimizer::set_step(int64_t t, double lr) {
  inputs_.lr = lr;
  inputs_.bias_correction1 = 1. - std::pow(settings_.beta1, double(t));
  inputs_.bias_correction2 = 1. - std::pow(settings_.beta2, double(t));
}

}  // namespace weft
