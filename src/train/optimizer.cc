#include "train/optimizer.h"

#include <fmt/format.h>

#include <cmath>

#include "kernels/elementwise.h"

namespace weft {
namespace {

// A tile of a parameter spans whole rows, or is part of a vector: either way it is contiguous.
Vector<float> elements(const Tiled<float>& tiled, Range rows, Range cols) {
  const Matrix<float> block = tiled.block(rows, cols);
  return {block.data, static_cast<size_t>(block.rows * block.cols)};
}

// Calls emit(rows, cols, number) for every tile of a parameter.
template <typename Emit>
void for_each_tile(const Tiled<float>& tiled, const Emit& emit) {
  int64_t number = 0;
  for (const Range& rows : tiled.row_ranges()) {
    for (const Range& cols : tiled.col_ranges()) emit(rows, cols, number++);
  }
}

int64_t tile_count(const Tiled<float>& tiled) {
  return static_cast<int64_t>(tiled.row_ranges().size() * tiled.col_ranges().size());
}

}  // namespace

Optimizer::Optimizer(Arena& arena, TileTable& tiles, const AdamWSettings& settings,
                     const TiledParameters& weights, const TiledParameters& dweights,
                     const TiledParameters& m, const TiledParameters& v)
    : settings_(settings), weights_(weights), dweights_(dweights), m_(m), v_(v) {
  int64_t partials = 0;
  for (size_t p = 0; p < parameters(); ++p) {
    first_partial_.push_back(partials);
    partials += tile_count(dweights.at(p));
  }
  partials_ = allocate_tiled<double>(arena, tiles, "norm/partials", 1, partials, 1, 1);
  norm_ = allocate_tiled<double>(arena, tiles, "norm", 1, 1, 1, 1);
  scale_ = allocate_tiled<float>(arena, tiles, "norm/scale", 1, 1, 1, 1);
}

size_t Optimizer::parameters() const { return weights_.values().table->all().size(); }

void Optimizer::append_reset(Program& program, size_t parameter) const {
  const Tiled<float>& dweight = dweights_.at(parameter);
  const std::string& name = weights_.values().table->all()[parameter].name;
  for_each_tile(dweight, [&](Range rows, Range cols, int64_t i) {
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
  for_each_tile(dweight, [&](Range rows, Range cols, int64_t i) {
    const int64_t slot = first_partial_[parameter] + i;
    program.add({.name = fmt::format("{}/norm[{}]", name, i),
                 .phase = Phase::kUpdate,
                 .reads = dweight.over(rows, cols),
                 .writes = partials_.over_cols({slot, slot + 1}),
                 .run = [gradient = elements(dweight, rows, cols),
                         partial = &partials_.matrix().at(0, slot)](std::byte*) {
                   *partial = sum_of_squares(gradient);
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
                 const bool within = *norm <= double(clip) || clip <= 0.f;
                 *scale = within ? 1.f : static_cast<float>(double(clip) / *norm);
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
                               .weight_decay = p.decay ? settings_.weight_decay : 0.f};
  const float* scale = clips() ? scale_.matrix().data : nullptr;
  for_each_tile(weight, [&](Range rows, Range cols, int64_t i) {
    program.add(
        {.name = fmt::format("{}/update[{}]", p.name, i),
         .phase = Phase::kUpdate,
         .reads = tiles_of(
             {dweight.over(rows, cols), clips() ? scale_.all() : std::vector<TileId>{}}),
         .writes = tiles_of({weight.over(rows, cols), m.over(rows, cols), v.over(rows, cols)}),
         .run = [constants, scale, inputs = &inputs_, gradient = elements(dweight, rows, cols),
                 w = elements(weight, rows, cols), m = elements(m, rows, cols),
                 v = elements(v, rows, cols)](std::byte*) {
           AdamWStep step = constants;
           step.lr = inputs->lr;
           step.bias_correction1 = inputs->bias_correction1;
           step.bias_correction2 = inputs->bias_correction2;
           if (scale != nullptr) step.grad_scale = *scale;
           // Not finite: the run is about to stop, and the last weights must stay good.
           if (std::isfinite(step.grad_scale) && step.grad_scale > 0.f) {
             adamw_update(step, gradient, w, m, v);
           }
         }});
  });
}

void Optimizer::set_step(int64_t t, double lr) {
  inputs_.lr = static_cast<float>(lr);
  inputs_.bias_correction1 = static_cast<float>(1. - std::pow(double(settings_.beta1), double(t)));
  inputs_.bias_correction2 = static_cast<float>(1. - std::pow(double(settings_.beta2), double(t)));
}

}  // namespace weft
