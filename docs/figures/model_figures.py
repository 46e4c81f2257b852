"""The figures of docs/model.md but attention: the graph, the layers, the loss."""

import math

from code_shapes import Config, Tiling, constant
from svg import Figure


def graph(config=Config(), B=4, T=64):
    """The whole model at the left, one block at the right."""
    c = config
    f = Figure(
        880,
        690,
        f"GPT-2 with {c.L} blocks: shapes of all tensors",
        "Tokens, embedding, blocks, final layernorm, logits and loss, with the shape of what flows between; "
        "at the right one block: layernorm, attention and its two linear layers, layernorm and MLP, with two residuals",
    )
    f.text(190, 32, "The model", "t-ink big")
    f.text(640, 32, "One block", "t-ink big")

    def box(x, y, words, colour, width=220, note=""):
        f.rect(x - width / 2, y, width, 34, f"f-{colour} line", rx=4)
        f.text(x, y + (15 if note else 21.5), words, "t-ink bold")
        if note:
            f.text(x, y + 28, note, "t-soft tiny")

    def down(x, y0, y1, words="", note_x=8):
        f.arrow([(x, y0), (x, y1)])
        if words:
            f.text(x + note_x, (y0 + y1) / 2 + 3, words, "t-soft small", "start")

    stream = f"({B}, {T}, {c.C})"
    x, y = 190, 52
    steps = [
        ("tokens", "grey", "", f"(B, T) = ({B}, {T})"),
        ("embedding", "orange", "wte[token] + wpe[position]", f"(B, T, C) = {stream}"),
        ("block 0", "blue", "", stream),
        ("block 1", "blue", "", stream),
        (f"block {c.L - 1}", "blue", "", stream),
        ("layernorm lnf", "green", "", stream),
        ("classifier", "orange", "logits = lnf wteᵀ", f"(B, T, Vp) = ({B}, {T}, {c.Vp})"),
        ("softmax, cross-entropy", "purple", "", "a loss per token, and their mean"),
    ]
    at = {}
    for i, (words, colour, note, shape) in enumerate(steps):
        box(x, y, words, colour, note=note)
        at[words] = y
        last = i + 1 == len(steps)
        gap = 56 if words == "block 1" else 38
        if last:
            f.arrow([(x, y + 34), (x, y + 60)])
            f.text(x, y + 76, shape, "t-soft small")
        elif words == "block 1":
            f.polyline([(x, y + 34), (x, y + 44)])
            f.text(x, y + 57, "⋮", "t-ink")
            down(x, y + 64, y + 34 + gap)
            f.text(x + 8, y + 66, f"{c.L} blocks in all", "t-soft small", "start")
        else:
            down(x, y + 34, y + 34 + gap, shape)
        y += 34 + gap

    # wte is used twice.
    top, bottom = at["embedding"] + 17, at["classifier"] + 17
    f.polyline([(80, top), (40, top), (40, bottom), (80, bottom)], "line s-orange dash")
    f.vertical(
        30, (top + bottom) / 2, f"one and the same wte: (Vp, C) = ({c.Vp}, {c.C})", "t-orange small"
    )

    # The block: a residual stream at the right, layers at its left.
    x, stream_x = 600, 790
    y = 52
    f.rect(400, y, 450, 578, "s-rule line dash", rx=8, extra=' fill="none"')
    layers = [
        ("ln1", "green", "layernorm", stream),
        ("qkv", "blue", "linear, C to 3C", f"({B}, {T}, {3 * c.C})"),
        ("attention", "red", f"{c.NH} heads of {c.HS}", stream),
        ("attproj", "blue", "linear, C to C", stream),
        None,
        ("ln2", "green", "layernorm", stream),
        ("fc", "blue", "linear, C to 4C", f"({B}, {T}, {4 * c.C})"),
        ("GELU", "purple", "", f"({B}, {T}, {4 * c.C})"),
        ("fcproj", "blue", "linear, 4C to C", stream),
        None,
    ]
    y += 34
    f.polyline([(stream_x, 40), (stream_x, 64)])
    f.text(stream_x - 8, 48, "residual_in", "t-soft code", "end")
    begin = 64
    names = iter(["residual_mid", "residual_out"])
    f.arrow([(stream_x, begin), (x, begin), (x, y)])
    for layer in layers:
        if layer is None:  # y is 24 below the last box
            plus = y + 6
            f.polyline([(x, y - 24), (x, plus)])
            f.arrow([(x, plus), (stream_x - 11, plus)])
            f.arrow([(stream_x, begin), (stream_x, plus - 11)])
            f.rect(stream_x - 11, plus - 11, 22, 22, "f-grey line", rx=11)
            f.text(stream_x, plus + 5, "+", "t-ink big")
            begin = plus + 11
            name = next(names)
            if name == "residual_mid":
                f.text(stream_x - 8, plus + 26, name, "t-soft code", "end")
                begin_next = plus + 34
                f.polyline([(stream_x, begin), (stream_x, begin_next)])
                begin = begin_next
                f.arrow([(stream_x, begin), (x, begin), (x, begin + 20)])
                y = begin + 20
            else:
                f.arrow([(stream_x, begin), (stream_x, begin + 28)])
                f.text(stream_x - 14, begin + 24, name, "t-soft code", "end")
            continue
        words, colour, note, shape = layer
        box(x, y, words, colour, 150, note)
        last = words in ("attproj", "fcproj")
        if not last:
            down(x, y + 34, y + 58, shape)
        else:
            f.text(x + 8, y + 49, shape, "t-soft small", "start")
        y += 58
    return f


def embedding(config=Config(), T=64):
    c = config
    ids = [464, 2068, 7586, 21831]  # any tokens
    f = Figure(
        820,
        300,
        "Embedding: a row of wte for the token, a row of wpe for the position",
        "Each token id picks a row of wte, each position a row of wpe; their sum is the row of encoded",
    )
    f.text(62, 34, "inputs (T)", "t-soft small")
    for i, token in enumerate(ids):
        f.rect(30, 60 + 34 * i, 64, 26, "f-grey line", rx=3)
        f.text(62, 78 + 34 * i, str(token), "t-ink code")
    f.text(62, 60 + 34 * 4 + 14, f"… T = {T} in all", "t-soft small")
    x, y, w, h = 190, 52, 150, 190
    f.matrix(x, y, w, h, "orange", cols=f"C = {c.C}")
    f.text(x + w / 2, y + h + 20, f"wte (Vp, C) = ({c.Vp}, {c.C})", "t-ink code")
    for i, token in enumerate(ids):
        row = y + h * token / 24000
        f.rect(x, row, w, 5, "p-orange", rx=0)
        f.arrow([(94, 73 + 34 * i), (x - 1, row + 2.5)])
    f.text(365, y + h / 2 + 6, "+", "t-ink big")
    x2 = 400
    f.matrix(x2, y, w, 130, "green", cols=f"C = {c.C}")
    f.rect(x2, y, w, 40, "p-green", rx=0, extra=' fill-opacity="0.5"')
    f.text(x2 + w / 2, y + 24, f"positions 0 to {T - 1}", "t-ink small")
    f.text(x2 + w / 2, y + 150, f"wpe (maxT, C) = ({c.T}, {c.C})", "t-ink code")
    f.text(580, y + h / 2 + 6, "=", "t-ink big")
    x3 = 620
    f.matrix(x3, y, w, 80, "blue", cols=f"C = {c.C}", rows=f"T = {T}", rows_cut=4)
    f.text(x3 + w / 2, y + 100, f"encoded (T, C) = ({T}, {c.C})", "t-ink code")
    f.text(x3 + w / 2, y + 118, "of each of the B sequences", "t-soft small")
    return f


def layernorm(config=Config(), B=4, T=64):
    c, n = config, B * T
    f = Figure(
        820,
        270,
        "Layernorm: each token row by its own mean and deviation",
        "A row of x gives one mean and one reciprocal deviation; the normalized row times weight plus bias is the row of out",
    )
    f.matrix(50, 50, 190, 150, "blue", cols=f"C = {c.C}", rows=f"n = B T = {n}")
    f.rect(50, 98, 190, 12, "p-blue", rx=0, extra=' fill-opacity="0.6"')
    f.text(145, 222, "x", "t-ink bold")
    f.text(145, 240, "a row is a token", "t-soft small")
    f.matrix(300, 50, 16, 150, "purple")
    f.matrix(352, 50, 16, 150, "purple")
    f.rect(300, 98, 16, 12, "p-purple", rx=0)
    f.rect(352, 98, 16, 12, "p-purple", rx=0)
    f.text(308, 40, "mean", "t-ink small")
    f.text(360, 40, "rstd", "t-ink small")
    f.text(334, 222, "one each per row", "t-soft small")
    f.text(334, 238, "kept for backward", "t-soft small")
    f.arrow([(240, 104), (299, 104)])
    f.arrow([(368, 104), (569, 104)])
    f.text(464, 92, "(x − mean) · rstd · weight + bias", "t-ink small")
    f.matrix(415, 140, 120, 14, "green")
    f.matrix(415, 178, 120, 14, "green")
    f.text(475, 168, "weight (C)", "t-soft small")
    f.text(475, 206, "bias (C)", "t-soft small")
    f.text(475, 226, "the same for all rows", "t-soft small")
    f.matrix(590, 50, 190, 150, "blue", cols=f"C = {c.C}", rows=f"n = {n}")
    f.rect(590, 98, 190, 12, "p-blue", rx=0, extra=' fill-opacity="0.6"')
    f.text(685, 222, "out", "t-ink bold")
    f.text(685, 240, "mean 0 and variance 1 before weight and bias", "t-soft tiny")
    return f


def linear(config=Config(), B=4, T=64):
    """The three products of a linear layer, each with the tile that one op computes."""
    c = config
    tiling = Tiling(c, B, T)
    n, (name, N, K) = tiling.n, c.linear()[2]
    f = Figure(
        900,
        328,
        f"The three products of a linear layer: {name} with {K} inputs and {N} outputs",
        "Forward y = x W transposed, dx = dy W, dW = dy transposed x; in each product a tile of the result is one op, "
        "which reads a band of either operand",
    )
    unit = 130 / N  # pixels per row or column: lengths compare
    ln, lN, lK = max(n * unit, 34), N * unit, K * unit * 1.7

    def product(x, title, left, top, result, inner, down, across, tile, ops):
        (left_name, left_colour), (top_name, top_colour), (result_name, result_colour) = (
            left,
            top,
            result,
        )
        px, py = x + inner[0] + 34, 90 + inner[0] + 22
        f.text(x + (inner[0] + 34 + across[0]) / 2, 34, title, "t-ink bold")
        f.text(
            x + (inner[0] + 34 + across[0]) / 2,
            54,
            f"{ops} ops of {tile[2]} by {tile[3]}",
            "t-soft small",
        )
        f.matrix(px, 90, across[0], inner[0], top_colour, top_name, rows=inner[1], cols=across[1])
        f.matrix(x + 16, py, inner[0], down[0], left_colour, left_name, rows=down[1])
        f.matrix(px, py, across[0], down[0], result_colour, result_name)
        w, h = across[0] * tile[1], down[0] * tile[0]
        f.rect(px, py, w, h, f"p-{result_colour}", rx=0, extra=' fill-opacity="0.55"')
        f.rect(px, 90, w, inner[0], f"p-{top_colour}", rx=0, extra=' fill-opacity="0.25"')
        f.rect(x + 16, py, inner[0], h, f"p-{left_colour}", rx=0, extra=' fill-opacity="0.25"')

    cols, wr, wc = tiling.columns(N, K), tiling.weight_rows(N, K), tiling.weight_columns(K)
    xcols = tiling.columns(K, N)
    product(
        14,
        "y = x Wᵀ",
        ("x", "blue"),
        ("Wᵀ", "orange"),
        ("y", "green"),
        (lK, f"K = {K}"),
        (ln, f"n = {n}"),
        (lN, f"N = {N}"),
        (tiling.rows / n, cols / N, tiling.rows, cols),
        -(-n // tiling.rows) * -(-N // cols),
    )
    product(
        276,
        "dx = dy W",
        ("dy", "green"),
        ("W", "orange"),
        ("dx", "blue"),
        (lN, f"N = {N}"),
        (ln, f"n = {n}"),
        (lK, f"K = {K}"),
        (tiling.rows / n, xcols / K, tiling.rows, xcols),
        -(-n // tiling.rows) * -(-K // xcols),
    )
    product(
        586,
        "dW = dyᵀ x",
        ("dyᵀ", "green"),
        ("x", "blue"),
        ("dW", "orange"),
        (ln, f"n = {n}"),
        (lN, f"N = {N}"),
        (lK, f"K = {K}"),
        (wr / N, wc / K, wr, wc),
        -(-N // wr) * -(-K // wc),
    )
    f.text(742, 100, "dW sums over tokens:", "t-soft small", "start")
    f.text(742, 116, "an op takes all n rows,", "t-soft small", "start")
    f.text(742, 132, "in a fixed order", "t-soft small", "start")
    f.text(
        450,
        312,
        f"{name} of GPT-2 124M, B = {B}, T = {T}. Dark: the tile that one op computes, and what it reads for it.",
        "t-soft small",
    )
    return f


def gelu_value(x):
    return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def gelu_slope(x):
    u = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    du = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
    t = math.tanh(u)
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * du


def gelu():
    f = Figure(
        620,
        330,
        "GELU and its derivative",
        "gelu(x) bends from 0 to x around 0, with a minimum of about -0.17; "
        "its derivative rises from 0 past 1 and comes back to 1",
    )
    x0, y0, sx, sy = 310, 240, 70, 58

    def place(x, y):
        return x0 + sx * x, y0 - sy * y

    for k in range(-4, 5):
        f.polyline([place(k, -0.5), place(k, 3.3)], "line s-faint")
        f.text(place(k, 0)[0], y0 + 48, str(k).replace("-", "−"), "t-soft small")
    for k in range(0, 4):
        f.polyline([place(-4, k), place(4, k)], "line s-faint")
        f.text(place(-4, 0)[0] - 12, place(0, k)[1] + 4, str(k), "t-soft small")
    f.polyline([place(-4, 0), place(4, 0)], "line s-rule")
    f.polyline([place(0, -0.5), place(0, 3.3)], "line s-rule")
    f.polyline([place(-4, 0), place(0, 0), place(3.2, 3.2)], "line s-grey dash")
    xs = [i / 20 for i in range(-80, 65)]
    f.polyline([place(x, gelu_value(x)) for x in xs], "line thick s-blue")
    xs = [i / 20 for i in range(-80, 81)]
    f.polyline([place(x, gelu_slope(x)) for x in xs], "line thick s-orange")
    f.text(place(1.55, 2.75)[0], place(0, 2.75)[1], "gelu(x)", "t-blue bold")
    f.text(place(3.2, 1.28)[0], place(0, 1.28)[1], "gelu′(x)", "t-orange bold")
    f.text(place(-2.6, 0.55)[0], place(0, 0.55)[1], "dashed: max(0, x)", "t-soft small")
    return f


def classifier(config=Config(), B=4, T=512):
    c, tiling = config, Tiling(config, B, T)
    rows, blocks, width = (
        tiling.classifier_rows,
        -(-c.Vp // tiling.vocabulary_columns),
        tiling.vocabulary_columns,
    )
    f = Figure(
        880,
        450,
        "The classifier, one chunk of rows at a time",
        "A chunk of rows of lnf times blocks of wte gives blocks of logits; cross-entropy walks rows over all blocks and leaves "
        "gradients in their place; from them come dlnf, by groups of blocks, and dwte, block by block",
    )
    shown, x0, w = 7, 270, 64
    f.matrix(60, 196, 120, 90, "green", "lnf", rows=f"{rows} rows", cols=f"C = {c.C}")
    f.text(120, 306, f"chunk 0 of {-(-tiling.n // rows)} (n = {tiling.n})", "t-soft small")
    names = [f"{j}" for j in range(shown - 2)] + ["…", f"{blocks - 1}"]
    f.text(x0 + shown * w / 2, 44, f"wteᵀ: {blocks} blocks of {width} words", "t-soft small")
    f.text(
        x0 + shown * w / 2,
        186,
        f"logits ({rows}, {c.Vp}): each block one contiguous matrix",
        "t-soft small",
    )
    for j, name in enumerate(names):
        f.matrix(x0 + j * w, 54, w - 6, 100, "orange", name)
        f.matrix(x0 + j * w, 196, w - 6, 90, "purple", name)
    f.vertical(x0 - 10, 104, f"C = {c.C}", "t-soft small")
    f.arrow([(186, 241), (262, 241)])
    f.text(224, 232, "logits[v]", "t-ink code")
    y = 258
    f.rect(x0, y, shown * w - 6, 14, "s-red thick line", rx=1, extra=' fill="none"')
    f.lines(
        x0 + shown * w + 8,
        218,
        [
            "cross_entropy[r]:",
            f"{tiling.norm_rows} rows, all blocks;",
            "each logit becomes",
            "its gradient, in place",
        ],
        "t-red small",
        "start",
        15,
    )
    groups = constant("model", "kVocabularyGroups")
    per = shown * w - 6
    gy = 330
    for j, words in enumerate(
        ["dX[..,g0]", "dX[..,g1]", "dX[..,g2]", "…", f"dX[..,g{groups - 1}]"]
    ):
        gx = x0 + j * per / 5
        f.matrix(gx, gy, per / 5 - 8, 34, "green")
        f.text(gx + per / 10 - 4, gy + 21, words, "t-ink code")
        f.arrow([(gx + per / 10 - 4, 290), (gx + per / 10 - 4, gy - 1)])
    f.arrow([(x0 - 4, gy + 17), (186, gy + 17)])
    f.text(228, gy + 10, "dX_sum", "t-ink code")
    f.matrix(60, gy - 10, 120, 54, "green", "dlnf")
    f.text(
        60,
        gy + 66,
        f"dlnf: {groups} partial sums over groups of blocks, added pairwise in a fixed tree",
        "t-soft small",
        "start",
    )
    f.matrix(
        x0, 404, per, 22, "orange", "dW[v]: dwte of block v = dlogitsᵀ lnf, an op for each block"
    )
    return f


FIGURES = {
    "model": graph,
    "embedding": embedding,
    "layernorm": layernorm,
    "linear": linear,
    "gelu": gelu,
    "classifier": classifier,
}
