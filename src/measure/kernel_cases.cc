#include "measure/kernel_cases.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "kernels/adamw.h"
#include "kernels/attention.h"
#include "kernels/cross_entropy.h"
#include "kernels/elementwise.h"
#include "kernels/embedding.h"
#include "kernels/layernorm.h"
#include "kernels/matvec.h"
#include "kernels/transpose.h"
#include "measure/case_list.h"
#include "model/tiling.h"

namespace weft {
namespace {

// The shapes of a step that the kernels of this file have.
struct Shapes {
  Config config;
  Tiling tiling;
  int64_t C, rows, norm_rows;

  Shapes(const Config& model, int64_t B, int64_t T)
      : config(model),
        tiling(choose_tiling(model, B, T)),
        C(model.C),
        rows(tiling.rows),
        norm_rows(tiling.norm_rows) {}
};

// One head of one sequence; heads lie side by side, as in a step.
struct Head {
  Matrix<float> q, k, v, out;
  Vector<float> lse;

  Head(Operands& o, const Shapes& s) {
    const int64_t T = s.tiling.T, C = s.C, HS = s.config.HS();
    const Matrix<float> qkv = o.matrix(T, 3 * C);
    q = qkv.col_block(0, HS);
    k = qkv.col_block(C, HS);
    v = qkv.col_block(2 * C, HS);
    out = o.matrix(T, C).col_block(0, HS);
    lse = o.vector(T);
  }
};

void add_attention(CaseList& list, const Shapes& s) {
  const int64_t T = s.tiling.T, C = s.C, HS = s.config.HS();
  const auto kernel = std::make_shared<const Attention<float>>(T, HS);
  list.add_hot("attention/forward", kernel_cost::attention_forward(double(T), double(HS)),
               [=](Operands& o) -> KernelCall {
                 const Head h(o, s);
                 std::byte* scratch = o.scratch(kernel->forward_scratch_bytes());
                 return {[=] { kernel->forward(h.q, h.k, h.v, h.out, h.lse, scratch); }};
               });
  list.add_hot("attention/backward", kernel_cost::attention_backward(double(T), double(HS)),
               [=](Operands& o) -> KernelCall {
                 const Head h(o, s);
                 const Matrix<float> dout = o.matrix(T, C).col_block(0, HS), d = o.matrix(T, 3 * C);
                 std::byte* scratch = o.scratch(
                     std::max(kernel->forward_scratch_bytes(), kernel->backward_scratch_bytes()));
                 kernel->forward(h.q, h.k, h.v, h.out, h.lse, scratch);
                 return {[=] {
                   kernel->backward(h.q, h.k, h.v, h.out, h.lse, dout, d.col_block(0, HS),
                                    d.col_block(C, HS), d.col_block(2 * C, HS), scratch);
                 }};
               });
  // Decoding the last token of a sequence.
  list.add("attention_cached", kernel_cost::attention_cached(double(T), double(HS)),
           [=](Operands& o) -> KernelCall {
             const Matrix<float> q = o.shared("q", 1, HS), out = o.shared("out", 1, HS);
             const Vector<float> scores = o.shared("scores", 1, T).row(0);
             const Matrix<float> k = o.columns(T, HS, C), v = o.columns(T, HS, C);
             return {[=] { attention_cached(q, k, v, T - 1, out, scores); }};
           });
}

void add_layernorm(CaseList& list, const Shapes& s) {
  const int64_t n = s.norm_rows, C = s.C;
  list.add("layernorm/forward", kernel_cost::layernorm_forward(double(n), double(C)),
           [=](Operands& o) -> KernelCall {
             const Vector<float> w = o.shared("w", 1, C).row(0), b = o.shared("b", 1, C).row(0);
             const Matrix<float> x = o.matrix(n, C), out = o.matrix(n, C);
             const Vector<float> mean = o.vector(n), rstd = o.vector(n);
             return {[=] { layernorm_forward(x, w, b, out, mean, rstd); }};
           });
  list.add("layernorm/backward", kernel_cost::layernorm_backward(double(n), double(C)),
           [=](Operands& o) -> KernelCall {
             const Vector<float> w = o.shared("w", 1, C).row(0), b = o.shared("b", 1, C).row(0);
             const Vector<float> dw = o.vector(C), db = o.vector(C);
             const Matrix<float> x = o.matrix(n, C), dout = o.matrix(n, C), dx = o.matrix(n, C);
             const Vector<float> mean = o.vector(n), rstd = o.vector(n);
             layernorm_forward(x, w, b, dx, mean, rstd);
             return {[=] { layernorm_backward(x, w, mean, rstd, dout, dx, dw, db); }};
           });
}

// The epilogues of matrix products, on the tile of the product that they belong to.
void add_epilogues(CaseList& list, const Shapes& s) {
  const int64_t n = s.rows, C = s.C;
  const int64_t qkv = std::min(3 * C, s.tiling.columns(3 * C, C));
  list.add("qkv/add_bias", kernel_cost::add_bias(double(n), double(qkv)),
           [=](Operands& o) -> KernelCall {
             const Vector<float> bias = o.vector(qkv);
             const Matrix<float> y = o.columns(n, qkv, 3 * C);
             return {[=] { add_bias(bias, y); }};
           });
  const int64_t proj = std::min(C, s.tiling.columns(C, C));
  list.add("attproj/add_bias_residual", kernel_cost::add_bias_residual(double(n), double(proj)),
           [=](Operands& o) -> KernelCall {
             const Vector<float> bias = o.vector(proj);
             const Matrix<float> residual = o.columns(n, proj, C), y = o.columns(n, proj, C);
             return {[=] { add_bias_residual(bias, residual, y); }};
           });
  const int64_t fc = std::min(4 * C, s.tiling.columns(4 * C, C));
  list.add("fc/add_bias_gelu", kernel_cost::add_bias_gelu(double(n), double(fc)),
           [=](Operands& o) -> KernelCall {
             const Vector<float> bias = o.vector(fc);
             const Matrix<float> x = o.columns(n, fc, 4 * C), out = o.columns(n, fc, 4 * C);
             // Repeated biases would add up to values that no step holds.
             const Matrix<float> values = o.shared("values", n, fc);
             return {[=] { add_bias_gelu(bias, x, out); }, [=] { copy(values, x); }, 8};
           });
  list.add("fcproj/gelu_backward", kernel_cost::gelu_backward(double(n), double(fc)),
           [=](Operands& o) -> KernelCall {
             const Matrix<float> x = o.columns(n, fc, 4 * C), dx = o.columns(n, fc, 4 * C),
                                 y = o.columns(n, fc, 4 * C);
             // Repeated products with a slope below 1 would become denormal numbers, which are
             // slow.
             const Matrix<float> values = o.shared("values", n, fc);
             return {[=] { gelu_backward(x, dx, y); }, [=] { copy(values, dx); }, 8};
           });
}

void add_sums(CaseList& list, const Shapes& s) {
  const int64_t n = s.tiling.n(), C = s.C;
  const int64_t out = std::min(3 * C, s.tiling.weight_rows(3 * C, C));
  list.add("qkv/add_column_sums", kernel_cost::add_column_sums(double(n), double(out)),
           [=](Operands& o) -> KernelCall {
             const Matrix<float> dy = o.columns(n, out, 3 * C);
             const Vector<float> sums = o.vector(out);
             return {[=] { add_column_sums(dy, sums); }};
           });
  const int64_t N = s.norm_rows * C;
  list.add("add", kernel_cost::add(double(N)), [=](Operands& o) -> KernelCall {
    const Vector<float> addend = o.vector(N), sum = o.vector(N);
    return {[=] { add(addend, sum); }};
  });
  list.add("copy", kernel_cost::copy(double(N)), [=](Operands& o) -> KernelCall {
    const Matrix<float> from = o.matrix(s.norm_rows, C), to = o.matrix(s.norm_rows, C);
    return {[=] { copy(from, to); }};
  });
}

// A panel of weights as the matrix products pack it.
void add_transpose(CaseList& list, const Shapes& s) {
  const int64_t rows = std::min<int64_t>(64, s.C), cols = std::min<int64_t>(128, s.C);
  list.add("transpose", kernel_cost::transpose(double(rows * cols)),
           [=](Operands& o) -> KernelCall {
             const Matrix<float> panel = o.columns(rows, cols, s.C);
             const Matrix<float> packed = o.shared("packed", cols, rows);
             return {[=] { transpose(panel, packed); }};
           });
}

struct LogitRows {
  ColumnBlocks logits;
  Vector<int32_t> targets;
  Vector<float> losses;

  LogitRows(Operands& o, const Shapes& s) {
    const int64_t n = s.norm_rows, Vp = s.config.Vp();
    logits = {o.matrix(n, Vp).data, n, Vp, s.tiling.vocabulary_columns};
    targets = o.indices(n, s.config.V);
    losses = o.vector(n);
  }
};

void add_cross_entropy(CaseList& list, const Shapes& s) {
  const int64_t n = s.norm_rows, V = s.config.V, Vp = s.config.Vp();
  list.add("cross_entropy/forward", kernel_cost::cross_entropy_forward(double(n), double(V)),
           [=](Operands& o) -> KernelCall {
             const LogitRows r(o, s);
             return {[=] { cross_entropy_forward(r.logits, 0, V, r.targets, r.losses); }};
           });
  list.add(
      "cross_entropy/forward_backward",
      kernel_cost::cross_entropy_forward_backward(double(n), double(V), double(Vp)),
      [=](Operands& o) -> KernelCall {
        const LogitRows r(o, s);
        const Matrix<float> values = o.shared("values", n, Vp);
        const float scale = 1.f / static_cast<float>(s.tiling.n());
        // Logits are overwritten by their gradients, which are almost alike.
        return {[=] { cross_entropy_forward_backward(r.logits, 0, V, r.targets, scale, r.losses); },
                [=] {
                  copy(values, {r.logits.data, n, Vp});
                }};
      });
}

void add_embedding(CaseList& list, const Shapes& s) {
  const int64_t n = s.norm_rows, all = s.tiling.n(), C = s.C, V = s.config.V, T = s.tiling.T;
  list.add("embedding/forward", kernel_cost::embedding_forward(double(n), double(C)),
           [=](Operands& o) -> KernelCall {
             const Matrix<float> wte = o.shared("wte", s.config.Vp(), C);
             const Matrix<float> wpe = o.shared("wpe", T, C), out = o.matrix(n, C);
             const Vector<int32_t> tokens = o.indices(n, V), positions = o.indices(n, T);
             return {[=] { embedding_forward(tokens, positions, wte, wpe, out); }};
           });
  list.add("embedding/backward", kernel_cost::embedding_backward(double(all), double(C)),
           [=](Operands& o) -> KernelCall {
             const Matrix<float> dwte = o.shared("dwte", s.config.Vp(), C), dout = o.matrix(all, C);
             const Vector<int32_t> tokens = o.indices(all, V);
             return {[=] { embedding_backward(tokens, dout, dwte); }};
           });
}

// On one tile of qkvw.
void add_optimizer(CaseList& list, const Shapes& s) {
  const int64_t rows = std::min(3 * s.C, s.tiling.weight_rows(3 * s.C, s.C));
  const int64_t N = rows * std::min(s.C, s.tiling.weight_columns(s.C));
  const AdamWStep step = {
      .lr = 1e-4, .weight_decay = 0.1, .bias_correction1 = 0.5, .bias_correction2 = 0.5};
  list.add("adamw_update", kernel_cost::adamw_update(double(N)), [=](Operands& o) -> KernelCall {
    const Vector<float> grad = o.vector(N), param = o.vector(N), m = o.vector(N), v = o.vector(N);
    for (float& x : v) x = std::abs(x);
    return {[=] { adamw_update(step, grad, param, m, v); }};
  });
  list.add("sum_of_squares", kernel_cost::sum_of_squares(double(N)),
           [=](Operands& o) -> KernelCall {
             const Vector<float> x = o.vector(N), result = o.shared("result", 1, 1).row(0);
             return {[=] { result[0] = static_cast<float>(sum_of_squares(x)); }};
           });
  list.add("fill_zero", kernel_cost::fill_zero(double(N)), [=](Operands& o) -> KernelCall {
    const Matrix<float> x = o.matrix(1, N);
    return {[=] { fill_zero(x); }};
  });
}

// One token: a block of the rows of a weight (N, K), as the op of a decoding step has it.
void add_matvec(CaseList& list, const std::string& name, int64_t rows, int64_t K) {
  list.add(name, kernel_cost::matvec(double(rows), double(K)), [=](Operands& o) -> KernelCall {
    const Matrix<float> W = o.matrix(rows, K);
    const Vector<float> x = o.shared("x", 1, K).row(0), y = o.shared("y", 1, rows).row(0);
    return {[=] { matvec(W, x, y); }};
  });
}

void add_matvec_bf16(CaseList& list, const std::string& name, int64_t rows, int64_t K) {
  list.add(name, kernel_cost::matvec_bf16(double(rows), double(K)), [=](Operands& o) -> KernelCall {
    const Matrix<float> values = o.shared("W", rows, K);
    const Matrix<BFloat16> W{reinterpret_cast<BFloat16*>(o.vector((rows * K + 1) / 2).data()), rows,
                             K, K};
    for (int64_t n = 0; n < rows; ++n)
      std::ranges::transform(values.row(n), W.row(n).begin(), to_bfloat16);
    const Vector<float> x = o.shared("x", 1, K).row(0), y = o.shared("y", 1, rows).row(0);
    return {[=] { matvec(Matrix<const BFloat16>(W), x, y); }};
  });
}

void add_decoding(CaseList& list, const Shapes& s) {
  const int64_t C = s.C;
  const Tiling one = choose_tiling(s.config, 1, 1);
  add_matvec(list, "qkv/matvec", std::min(3 * C, one.columns(3 * C, C)), C);
  add_matvec(list, "fcproj/matvec", std::min(C, one.columns(C, 4 * C)), 4 * C);
  add_matvec(list, "logits/matvec", std::min(s.config.Vp(), one.vocabulary_columns), C);
  add_matvec_bf16(list, "qkv/matvec_bf16", std::min(3 * C, one.columns(3 * C, C)), C);
}

}  // namespace

std::vector<KernelCase> kernel_cases(const Config& config, int64_t B, int64_t T) {
  CaseList list;
  const Shapes s(config, B, T);
  add_linear_cases(list, config, s.tiling);
  add_attention(list, s);
  add_layernorm(list, s);
  add_epilogues(list, s);
  add_sums(list, s);
  add_transpose(list, s);
  add_cross_entropy(list, s);
  add_embedding(list, s);
  add_optimizer(list, s);
  add_decoding(list, s);
  return list.take();
}

}  // namespace weft
