"""Multi-head attention head by head: cut, scored, masked, weighed, summed, stored."""

import math

from code_shapes import Config, constant
from svg import Figure

COLOURS = {"q": "blue", "k": "orange", "v": "green"}


def softmax_rows(n):
    """Some probabilities of n queries over n keys, causal: made up, but they add to one."""
    rows = []
    for t in range(n):
        scores = [
            1.3 * math.sin(2.1 * t + 1.7 * s) + (0.9 if s == t else 0.0) for s in range(t + 1)
        ]
        exps = [math.exp(x) for x in scores]
        rows.append([e / sum(exps) for e in exps] + [0.0] * (n - t - 1))
    return rows


def cut(config=Config(), T=64, head=4):
    """qkv of one sequence, cut into queries, keys, values and heads."""
    c = config
    f = Figure(
        900,
        360,
        f"qkv of one sequence, cut into queries, keys and values of {c.NH} heads",
        "The 3C columns of qkv are C queries, C keys and C values; each of these is cut into NH blocks of HS columns, "
        "and one head takes its block of each",
    )
    x0, y0, w, h = 46, 74, 270, 80
    f.text(
        450,
        28,
        f"qkv of one sequence: (T, 3C) = ({T}, {3 * c.C}), as the linear layer wrote it",
        "t-ink bold",
    )
    f.vertical(x0 - 10, y0 + h / 2, f"T = {T}", "t-soft small")
    names = {"q": "queries", "k": "keys", "v": "values"}
    for i, (name, colour) in enumerate(COLOURS.items()):
        x = x0 + i * w
        f.matrix(x, y0, w, h, colour, cols_cut=c.NH)
        f.text(
            x + w / 2,
            y0 - 22,
            f"{names[name]}: columns [{i * c.C}, {(i + 1) * c.C})",
            "t-soft small",
        )
        for j in (0, 1, head, c.NH - 1):
            f.text(x + w * (j + 0.5) / c.NH, y0 - 6, f"h{j}", "t-soft tiny")
        cell = w / c.NH
        f.rect(x + head * cell, y0, cell, h, f"p-{colour}", rx=0, extra=' fill-opacity="0.7"')
        bx, by, bw, bh = x + w / 2 - 45, 216, 90, 80
        f.polyline([(x + head * cell, y0 + h), (bx, by)], f"line s-{colour} dash")
        f.polyline([(x + (head + 1) * cell, y0 + h), (bx + bw, by)], f"line s-{colour} dash")
        f.matrix(bx, by, bw, bh, colour, f"{name}", rows=f"T = {T}")
        first = i * c.C + head * c.HS
        f.text(bx + bw / 2, by + bh + 18, f"columns [{first}, {first + c.HS})", "t-ink code")
    f.text(
        450,
        346,
        f"Head h = {head}: three matrices of (T, HS) = ({T}, {c.HS}), rows {3 * c.C} numbers apart: views of qkv, not arrays of their own.",
        "t-soft small",
    )
    return f


def grid(f, x, y, cell, n, colour, values=None, hidden=True, label=None):
    """An n by n grid: shaded by values, the keys after a query hatched out."""
    for t in range(n):
        for s in range(n):
            at = (x + s * cell, y + t * cell)
            if hidden and s > t:
                f.rect(*at, cell, cell, "f-grey line", rx=0)
                f.polyline(
                    [(at[0] + 3, at[1] + cell - 3), (at[0] + cell - 3, at[1] + 3)], "line s-grey"
                )
            elif values:
                f.rect(
                    *at,
                    cell,
                    cell,
                    f"p-{colour}",
                    rx=0,
                    extra=f' fill-opacity="{0.12 + 0.8 * values[t][s]:.2f}"',
                )
                f.rect(*at, cell, cell, f"line s-{colour}", rx=0, extra=' fill="none"')
            else:
                f.rect(*at, cell, cell, f"f-{colour} line", rx=0)
            if label and not (hidden and s > t):
                f.text(at[0] + cell / 2, at[1] + cell / 2 + 3.5, label(t, s), "t-ink tiny")


def score(config=Config(), T=64):
    """S = q k^T / sqrt(HS), the mask, and softmax, for eight tokens of a head."""
    c, n, cell = config, 8, 21
    f = Figure(
        900,
        330,
        "Scores of one head: every query against every key, masked, softmax by rows",
        "q times k transposed gives a T by T matrix of scores; keys after the query are masked; softmax makes "
        "every row a row of weights that add to one",
    )
    side = n * cell
    top = 104
    f.matrix(44, top, 60, side, "blue", "q", rows=f"T = {T}", cols=f"HS = {c.HS}")
    f.text(122, top + side / 2 + 4, "×", "t-ink big")
    f.matrix(140, 58, side, 34, "orange", "kᵀ", cols=f"T = {T}")
    f.vertical(134, 75, f"{c.HS}", "t-soft small")
    grid(f, 140, top, cell, n, "purple", hidden=False)
    f.rect(44, top + 5 * cell, 60, cell, "p-blue", rx=0, extra=' fill-opacity="0.5"')
    f.rect(140 + 2 * cell, 58, cell, 34, "p-orange", rx=0, extra=' fill-opacity="0.5"')
    f.rect(140 + 2 * cell, top + 5 * cell, cell, cell, "p-purple", rx=0)
    f.text(140 + side / 2, top + side + 20, f"S = q kᵀ / √HS: (T, T) = ({T}, {T})", "t-ink small")
    f.arrow([(140 + side + 10, top + side / 2), (376, top + side / 2)])
    f.text(346, top + side / 2 - 10, "mask", "t-ink small")
    grid(f, 386, top, cell, n, "purple")
    f.text(386 + side / 2, top - 12, "key s", "t-soft small")
    f.vertical(378, top + side / 2 + 40, "query t", "t-soft small")
    f.text(386 + side / 2, top + side + 20, "query t sees keys 0 to t", "t-ink small")
    f.arrow([(386 + side + 10, top + side / 2), (636, top + side / 2)])
    f.text(599, top + side / 2 - 10, "softmax", "t-ink small")
    grid(f, 646, top, cell, n, "red", softmax_rows(n))
    f.text(646 + side / 2, top + side + 20, "P: every row adds to 1", "t-ink small")
    f.text(
        450,
        318,
        f"Drawn: {n} of the T tokens of one head. Dark: one score, S[5, 2] = q[5] · k[2] / √HS.",
        "t-soft small",
    )
    return f


def weigh(config=Config(), T=64, query=5):
    """One query's weights scale the values, and their sum is its output; then all heads side by side."""
    c, n = config, 8
    weights = softmax_rows(n)[query]
    f = Figure(
        900,
        490,
        "Weighed and summed: the values of a head, by the weights of a query",
        "Each weight of a row of P scales one row of v; the sum over keys is the query's output for this head; heads lie side by "
        "side in atty, and sequences one after the other",
    )
    f.text(40, 30, f"One query (t = {query}) of one head", "t-ink bold", "start")
    f.text(84, 58, f"P[{query}, s]", "t-ink code")
    f.text(206, 58, f"v[s]: (HS) = ({c.HS})", "t-ink code")
    f.text(430, 58, f"P[{query}, s] · v[s]", "t-ink code")
    y, row = 68, 24
    for s in range(query + 1):
        at = y + s * row
        f.rect(
            60,
            at,
            48,
            row - 4,
            "p-red",
            rx=2,
            extra=f' fill-opacity="{0.12 + 0.8 * weights[s]:.2f}"',
        )
        f.text(84, at + 14, f"{weights[s]:.2f}", "t-ink small")
        f.text(122, at + 14, "×", "t-ink")
        f.rect(136, at, 140, row - 4, "f-green line", rx=2)
        f.text(206, at + 14, f"v[{s}]", "t-ink small")
        f.text(318, at + 14, "=", "t-ink")
        f.rect(
            360,
            at,
            140,
            row - 4,
            "p-green",
            rx=2,
            extra=f' fill-opacity="{0.08 + 0.8 * weights[s]:.2f}"',
        )
        f.rect(360, at, 140, row - 4, "line s-green", rx=2, extra=' fill="none"')
    end = y + (query + 1) * row
    f.text(206, end + 14, "keys after t have weight 0", "t-soft small")
    f.text(516, (y + end) / 2 + 4, "}", "t-ink big")
    f.arrow([(534, (y + end) / 2), (606, (y + end) / 2)])
    f.text(569, (y + end) / 2 - 10, "sum over s", "t-ink small")
    f.matrix(616, (y + end) / 2 - 12, 140, 24, "purple", f"out[{query}]: (HS)")
    f.text(686, (y + end) / 2 + 30, "one row of the head's (T, HS)", "t-soft small")

    base = 262
    f.text(40, base + 6, "All queries, all heads, all sequences", "t-ink bold", "start")
    top = base + 46
    # (C, T, T): every channel has a weighted value for every query and key.
    x, w, h, d = 60, 110, 80, 34
    f.path(
        f"M{x} {top + d} h{w} v{h} h-{w} Z M{x} {top + d} l{d} -{d} h{w} v{h} l-{d} {d} M{x + w} {top + d} l{d} -{d}",
        "f-green line",
    )
    f.text(x + w / 2, top + d + h + 16, f"T = {T} keys", "t-soft small")
    f.vertical(x - 8, top + d + h / 2, f"C = {c.C}", "t-soft small")
    f.text(x + w + 16, top + d + h + 2, f"T = {T} queries", "t-soft small", "start")
    f.text(x + w / 2 + 2, top + d + 38, "weighed values", "t-ink small")
    f.text(x + w / 2 + 2, top + d + 54, "(C, T, T)", "t-ink code")
    f.arrow([(216, top + 62), (306, top + 62)])
    f.text(261, top + 52, "sum over keys", "t-ink small")
    f.matrix(346, top + 16, 70, 110, "purple", rows=f"C = {c.C}", rows_cut=c.NH)
    f.text(381, top + 142, f"T = {T}", "t-soft small")
    f.text(381, top + 8, "(C, T)", "t-ink code")
    f.arrow([(426, top + 62), (512, top + 62)])
    f.text(469, top + 52, "stored as", "t-ink small")
    for b in range(4):
        f.matrix(556 + 14 * b, top + 2 + 16 * b, 220, 62, "purple")
        f.rect(
            556 + 14 * b, top + 2 + 16 * b, 220, 62, "p-paper", rx=2, extra=' fill-opacity="0.55"'
        )
    f.matrix(598, top + 50, 220, 62, "purple", cols_cut=c.NH)
    f.vertical(832, top + 81, f"T = {T}", "t-soft small")
    f.text(708, top + 130, f"atty: (B, T, C) = (4, {T}, {c.C})", "t-ink code")
    f.text(708, top + 146, "head h in channels [h HS, (h+1) HS)", "t-soft small")
    f.text(786, top + 14, "B = 4", "t-soft small", "start")
    f.text(
        450,
        478,
        "The (C, T, T) array is a way to think: the kernel sums as it goes and never stores it.",
        "t-soft small",
    )
    return f


def tiles(T=256):
    """Which tiles of the (T, T) scores a head's forward pass computes, and in which order."""
    tile, step = constant("kernels", "kMaxTile"), constant("kernels", "kStep")
    count = -(-T // tile)
    f = Figure(
        880,
        400,
        f"Tiles of the scores of one head, T = {T}",
        "The lower triangle of the scores is cut into square tiles; a tile of queries takes its diagonal tile first, then those of "
        "earlier keys; tiles above the diagonal are skipped; the diagonal tile is a staircase of steps",
    )
    x0, y0, cell = 70, 70, 68
    f.text(x0 + count * cell / 2, 30, f"Scores (T, T) in tiles of {tile} tokens", "t-ink bold")
    f.text(x0 + count * cell / 2, 58, "keys", "t-soft small")
    f.vertical(x0 - 12, y0 + count * cell / 2, "queries", "t-soft small")
    for i in range(count):
        for j in range(count):
            x, y = x0 + j * cell, y0 + i * cell
            if j > i:
                f.rect(x, y, cell, cell, "f-grey line dash", rx=0)
                f.text(x + cell / 2, y + cell / 2 + 4, "skipped", "t-soft tiny")
            else:
                f.rect(x, y, cell, cell, f"f-{'red' if i == j else 'purple'} line", rx=0)
                order = 1 if i == j else j + 2
                f.text(x + cell / 2, y + cell / 2 + 5, f"{order}.", "t-ink bold")
    f.lines(
        x0,
        y0 + count * cell + 22,
        [
            "The numbers: in which order a tile of queries meets its keys.",
            "Running sums and the output wait in cache meanwhile.",
        ],
        "t-soft small",
        "start",
    )
    steps = tile // step
    zx, zy, z = 520, 70, 64
    f.text(zx + steps * z / 2, 30, f"The diagonal tile, in steps of {step}", "t-ink bold")
    f.text(zx + steps * z / 2, 58, f"keys, {step} a step", "t-soft small")
    f.vertical(zx - 12, zy + steps * z / 2, f"queries, {step} a step", "t-soft small")
    for i in range(steps):
        for j in range(steps):
            x, y = zx + j * z, zy + i * z
            if j > i:
                f.rect(x, y, z, z, "f-grey line dash", rx=0)
            elif i == j:
                f.rect(x, y, z, z, "f-grey line", rx=0)
                f.path(f"M{x} {y} L{x} {y + z} L{x + z} {y + z} Z", "f-red line")
                f.text(x + z * 0.68, y + z * 0.3, "−∞", "t-soft small")
            else:
                f.rect(x, y, z, z, "f-red line", rx=0)
    f.lines(
        zx,
        zy + steps * z + 22,
        [
            "Red: visible. Grey triangles: computed with their step,",
            "then set to −∞. Dashed: neither computed nor read.",
        ],
        "t-soft small",
        "start",
    )
    f.polyline([(x0 + count * cell, y0 + (count - 1) * cell), (zx, zy)], "line s-rule dash")
    f.polyline([(x0 + count * cell, y0 + count * cell), (zx, zy + steps * z)], "line s-rule dash")
    return f


FIGURES = {"heads_cut": cut, "heads_score": score, "heads_weigh": weigh, "attention_tiles": tiles}
