#include "optim/optimizer.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

namespace weft {
namespace {

// The pieces of a parameter, one tile of a matrix each, or a whole vector, which is too small to
// share out. Their numbers go through the tiles row by row.
class Pieces {
 public:
  explicit Pieces(const Tiled<float>& parameter)
      : rows_(parameter.rows() == 1 ? std::vector<Range>{{0, 1}} : parameter.row_ranges()),
        cols_(parameter.rows() == 1 ? std::vector<Range>{{0, parameter.cols()}}
                                    : parameter.col_ranges()) {}

  int64_t count() const { return int64_t(rows_.size() * cols_.size()); }

  // Of the piece that holds the range.
  int64_t number(Range rows, Range cols) const {
    return rows.begin / rows_[0].size() * int64_t(cols_.size()) + cols.begin / cols_[0].size();
  }

  bool begins(Range rows, Range cols) const {
    return rows.begin % rows_[0].size() == 0 && cols.begin % cols_[0].size() == 0;
  }

  // Calls emit(rows, cols, number) for every piece.
  template <typename Emit>
  void for_each(const Emit& emit) const {
    for (const Range& rows : rows_) {
      for (const Range& cols : cols_) emit(rows, cols, number(rows, cols));
    }
  }

 private:
  std::vector<Range> rows_, cols_;
};

double squares_of(Matrix<const float> x) {
  double sum = 0.;
  for (int64_t r = 0; r < x.rows; ++r) sum += sum_of_squares(x.row(r));
  return sum;
}

}  // namespace

Optimizer::Optimizer(Arena& arena, TileTable& tiles, const AdamWSettings& settings,
                     const TiledParameters& weights, const TiledParameters& dweights,
                     const TiledParameters& m, const TiledParameters& v)
    : settings_(settings), weights_(weights), dweights_(dweights), m_(m), v_(v) {
  int64_t partials = 0;
  for (size_t p = 0; p < parameters(); ++p) {
    first_partial_.push_back(partials);
    partials += Pieces(dweights.at(p)).count();
  }
  partials_ = allocate_tiled<double>(arena, tiles, "norm/partials", 1, partials, 1, 1);
  norm_ = allocate_tiled<double>(arena, tiles, "norm", 1, 1, 1, 1);
  scale_ = allocate_tiled<double>(arena, tiles, "norm/scale", 1, 1, 1, 1);
}

size_t Optimizer::parameters() const { return weights_.values().table->all().size(); }

Epilogue Optimizer::on_tile(size_t parameter) const {
  const Pieces pieces(dweights_.at(parameter));
  const auto slot = [pieces, first = first_partial_[parameter]](Range rows, Range cols) {
    return first + pieces.number(rows, cols);
  };
  Epilogue epilogue;
  epilogue.writes = [this, parameter, slot](Range rows, Range cols) {
    const int64_t i = slot(rows, cols);
    const std::vector<TileId> partial = partials_.over_cols({i, i + 1});
    return clips() ? partial : tiles_of({partial, update_writes(parameter, rows, cols)});
  };
  // Parts of a tile arrive in a fixed order, its first corner first.
  epilogue.run = [this, parameter, pieces, slot](Matrix<float> gradient, Range rows, Range cols) {
    double& partial = partials_.matrix().at(0, slot(rows, cols));
    if (pieces.begins(rows, cols)) partial = 0.;
    partial += squares_of(gradient);
    if (!clips()) update(parameter, rows, cols);
  };
  return epilogue;
}

void Optimizer::append_norm_partials(Program& program, size_t parameter) const {
  const Tiled<float>& dweight = dweights_.at(parameter);
  const Parameter& p = weights_.values().table->all()[parameter];
  Pieces(dweight).for_each([&](Range rows, Range cols, int64_t i) {
    const int64_t slot = first_partial_[parameter] + i;
    program.add(
        {.name = p.op_name("norm/partials", i),
         .phase = Phase::kUpdate,
         .reads = dweight.over(rows, cols),
         .writes = partials_.over_cols({slot, slot + 1}),
         .run = [gradient = dweight.block(rows, cols), partial = &partials_.matrix().at(0, slot)](
                    std::byte*) { *partial = squares_of(gradient); }});
  });
}

void Optimizer::append_norm(Program& program, const Tiled<double>& partials) const {
  program.add({.name = {.kind = "norm"},
               .phase = Phase::kUpdate,
               .reads = partials.all(),
               .writes = tiles_of({norm_.all(), scale_.all()}),
               .run = [partials = partials.matrix().row(0), clip = settings_.grad_clip,
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
  const Tiled<float>& dweight = dweights_.at(parameter);
  Pieces(dweight).for_each([&](Range rows, Range cols, int64_t i) {
    program.add(
        {.name = p.op_name("update", i),
         .phase = Phase::kUpdate,
         .reads = tiles_of({dweight.over(rows, cols), update_reads()}),
         .writes = update_writes(parameter, rows, cols),
         .run = [this, parameter, rows, cols](std::byte*) { update(parameter, rows, cols); }});
  });
}

std::vector<TileId> Optimizer::update_writes(size_t parameter, Range rows, Range cols) const {
  return tiles_of({weights_.at(parameter).over(rows, cols), m_.at(parameter).over(rows, cols),
                   v_.at(parameter).over(rows, cols)});
}

std::vector<TileId> Optimizer::update_reads() const {
  return clips() ? scale_.all() : std::vector<TileId>{};
}

std::optional<AdamWStep> Optimizer::step_of(size_t parameter) const {
  if (!inputs_.due) return std::nullopt;
  const bool decays = weights_.values().table->all()[parameter].decay;
  const AdamWStep step = {.lr = inputs_.lr,
                          .beta1 = settings_.beta1,
                          .beta2 = settings_.beta2,
                          .eps = settings_.eps,
                          .weight_decay = decays ? settings_.weight_decay : 0.,
                          .bias_correction1 = inputs_.bias_correction1,
                          .bias_correction2 = inputs_.bias_correction2,
                          .grad_scale = clips() ? scale_.matrix().at(0, 0) : 1.};
  // Not finite: the run is about to stop, and the last weights must stay good.
  if (!std::isfinite(step.grad_scale) || step.grad_scale <= 0.) return std::nullopt;
  return step;
}

void Optimizer::update(size_t parameter, Range rows, Range cols) const {
  const std::optional<AdamWStep> step = step_of(parameter);
  if (!step) return;
  const Matrix<const float> gradient = dweights_.at(parameter).block(rows, cols);
  const Matrix<float> w = weights_.at(parameter).block(rows, cols),
                      m = m_.at(parameter).block(rows, cols),
                      v = v_.at(parameter).block(rows, cols);
  for (int64_t r = 0; r < w.rows; ++r) {
    adamw_update(*step, gradient.row(r), w.row(r), m.row(r), v.row(r));
  }
}

void Optimizer::set_step(int64_t t, double lr) {
  const UpdateInputs step = {.due = true,
                             .lr = lr,
                             .bias_correction1 = 1. - std::pow(settings_.beta1, double(t)),
                             .bias_correction2 = 1. - std::pow(settings_.beta2, double(t))};
  if (!defers()) {
    inputs_ = step;
    return;
  }
  begin_deferred();
  deferred_ = step;
}

void Optimizer::begin_deferred() { inputs_ = std::exchange(deferred_, {}); }

}  // namespace weft
