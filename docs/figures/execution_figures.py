"""The figures of docs/fork_join.md and docs/tasks.md: runs, timelines and dependences."""

import json

from code_shapes import Config, Tiling
from record_traces import FILE, idle, length, widths
from svg import Figure

FILL = {"forward": "blue", "backward": "orange", "dW": "purple", "update": "green"}
MEANING = {
    "forward": "forward and loss",
    "backward": "backward, to the layer below",
    "dW": "backward, gradients of parameters",
    "update": "norm and AdamW",
}


def recorded():
    return json.loads(FILE.read_text(encoding="utf-8"))


def kind(name, phase):
    is_parameter = any(part in name for part in ("/dW", "/dwte", "/dwpe"))
    return "dW" if phase == "backward" and is_parameter else phase


def legend(f, x, y):
    for name, words in MEANING.items():
        f.rect(x, y - 10, 12, 12, f"p-{FILL[name]}", rx=1)
        f.text(x + 18, y, words, "t-soft small", "start")
        x += 40 + 6.6 * len(words)


def timeline(f, x, y, width, ops, scale, lane=30):
    """A lane per worker; an op is a box from its start to its end."""
    for worker in range(2):
        at = y + worker * (lane + 6)
        f.rect(x, at, width, lane, "p-faint", rx=0)
        f.text(x - 8, at + lane / 2 + 4, f"thread {worker}", "t-soft small", "end")
    for name, phase, worker, begin, duration in ops:
        w = max(duration * scale, 0.4)
        f.rect(
            x + begin * scale,
            y + worker * (lane + 6),
            max(w - 0.3, 0.3),
            lane,
            f"p-{FILL[kind(name, phase)]}",
            rx=0,
        )


def axis(f, x, y, scale, end_us):
    step = next(s for s in (1, 2, 5, 10, 20, 50) if end_us / 1e3 / s <= 12)
    for ms in range(0, int(end_us / 1e3) + 1, step):
        at = x + ms * 1e3 * scale
        f.polyline([(at, y), (at, y + 5)])
        f.text(at, y + 18, f"{ms} ms" if ms == 0 else str(ms), "t-soft small")


def fork_join():
    """How many ops each run has, and a step as two threads ran it."""
    data = recorded()["fork-join"]
    runs, ops = data["runs"], data["ops"]
    f = Figure(
        900,
        420,
        "A step under fork-join: runs of independent ops, and a barrier after each",
        "Above, the number of ops of each run; below, a recorded step on two threads with the barriers as lines: "
        "in narrow runs a thread waits",
    )
    x, width = 80, 790
    f.text(
        x,
        28,
        f"{len(ops)} ops in {len(runs) - 1} runs: how many ops a run has",
        "t-ink bold",
        "start",
    )
    top, high, w = 50, 120, width / (len(runs) - 1)
    widest = max(widths(data))
    for k in range(0, widest + 1, 8):
        at = top + high - high * k / widest
        f.polyline([(x, at), (x + width, at)], "line s-faint")
        f.text(x - 8, at + 4, str(k), "t-soft small", "end")
    for i, (begin, end) in enumerate(zip(runs, runs[1:])):
        at, counts = top + high, {}
        for name, phase, *_ in ops[begin:end]:
            counts[kind(name, phase)] = counts.get(kind(name, phase), 0) + 1
        for part in FILL:
            if part in counts:
                h = high * counts[part] / widest
                at -= h
                f.rect(x + i * w + 1, at, w - 2, h, f"p-{FILL[part]}", rx=0)
    f.text(x + width / 2, top + high + 20, "runs, in list order", "t-soft small")
    y, scale = 232, width / length(data)
    f.text(
        x,
        y - 14,
        f"The same step on two threads: {length(data) / 1e3:.0f} ms, "
        f"idle for {100 * idle(data):.0f} % of the threads' time",
        "t-ink bold",
        "start",
    )
    timeline(f, x, y, width, ops, scale)
    for begin in runs[1:-1]:
        at = x + scale * min(op[3] for op in ops[begin:])
        f.polyline([(at, y - 4), (at, y + 72)], "line s-ink")
    f.text(x, y + 92, "Lines: barriers. Grey: a thread waits at one.", "t-soft small", "start")
    axis(f, x, y + 104, scale, length(data))
    legend(f, x, 400)
    return f


def tasks():
    """The same step under both executors, on one time scale."""
    data = recorded()
    f = Figure(
        900,
        330,
        "The same step under fork-join and under tasks",
        "Two recorded steps on two threads: with fork-join threads wait at barriers, with tasks gradients of parameters fill the gaps",
    )
    x, width = 80, 790
    scale = width / max(length(data[name]) for name in ("fork-join", "tasks"))
    y = 56
    for name in ("fork-join", "tasks"):
        f.text(
            x,
            y - 12,
            f"{name}: {length(data[name]) / 1e3:.0f} ms, idle for {100 * idle(data[name]):.0f} % "
            "of the threads' time",
            "t-ink bold",
            "start",
        )
        timeline(f, x, y, length(data[name]) * scale, data[name]["ops"], scale)
        y += 112
    axis(f, x, y - 30, scale, max(length(data[name]) for name in ("fork-join", "tasks")))
    legend(f, x, y + 26)
    return f


def met(first, last, tile):
    """The numbers of the tiles that columns [first, last) meet."""
    return range(first // tile, -(-last // tile))


def dependences(config=Config(), B=4, T=64, sequence=1):
    """What the ops between ln1 and atty read and write: from the shapes of a step."""
    c, tiling = config, Tiling(config, B, T)
    group = tiling.heads * c.HS
    cols = tiling.columns(3 * c.C, c.C)
    count = -(-3 * c.C // cols)
    f = Figure(
        900,
        520,
        "Tiles and ops from ln1 to atty",
        "An op of the qkv product reads all row tiles of ln1 and writes one column tile of qkv; an op of attention reads the column "
        "tiles that its heads meet, so it waits for these ops and for no others",
    )
    f.text(
        450,
        28,
        f"Tiles from ln1 to atty: GPT-2 124M, B = {B}, T = {T}, n = {tiling.n} rows",
        "t-ink bold",
    )
    h = 96
    rows = -(-tiling.n // tiling.norm_rows)
    # ln1
    lx, y1, lw = 40, 70, 190
    f.matrix(lx, y1, lw, h, "green", rows_cut=rows)
    for r in range(rows):
        f.text(lx + lw / 2, y1 + h * (r + 0.5) / rows + 4, f"ln1[{r}]", "t-ink code")
    f.text(lx + lw / 2, y1 + h + 18, f"{rows} tiles of ({tiling.norm_rows}, {c.C})", "t-soft small")
    # qkv
    qx, qw = 300, 560
    unit = qw / (3 * c.C)
    f.text(
        qx + qw / 2,
        58,
        f"qkv ({tiling.n}, {3 * c.C}): {count} column tiles, one per op qkv/forward[r0,c]",
        "t-soft small",
    )
    for j in range(count):
        wide = min(cols, 3 * c.C - j * cols)
        f.rect(qx + j * cols * unit, y1, wide * unit, h, "f-blue line", rx=0)
        f.text(qx + (j * cols + wide / 2) * unit, y1 + 16, f"c{j}", "t-ink code")
    f.arrow([(lx + lw + 4, y1 + h / 2), (qx - 4, y1 + h / 2)])
    f.lines(
        (lx + lw + qx) / 2, y1 + h / 2 - 24, ["every op", "reads all"], "t-soft tiny", leading=11
    )
    for i, name in enumerate(("queries", "keys", "values")):
        f.polyline(
            [
                (qx + i * c.C * unit, y1 + h + 4),
                (qx + i * c.C * unit, y1 + h + 12),
                (qx + (i + 1) * c.C * unit, y1 + h + 12),
                (qx + (i + 1) * c.C * unit, y1 + h + 4),
            ]
        )
        f.text(qx + (i + 0.5) * c.C * unit, y1 + h + 26, name, "t-soft small")
    # the attention ops
    band_y, band_h = y1 + h * sequence / B, h / B
    ay, aw = 330, 190
    colours = ["red", "purple", "orange", "grey"]
    for k, head in enumerate(range(0, c.NH, tiling.heads)):
        colour = colours[k % len(colours)]
        waits = []
        ax = 340 + k * 290
        for i in range(3):
            first = i * c.C + head * c.HS
            f.rect(
                qx + first * unit,
                band_y,
                group * unit,
                band_h,
                f"p-{colour}",
                rx=0,
                extra=' fill-opacity="0.75"',
            )
            waits += list(met(first, first + group, cols))
            f.arrow(
                [
                    (qx + (first + group / 2) * unit, band_y + band_h),
                    (qx + (first + group / 2) * unit, 226 + 22 * k),
                    (ax + aw / 2 - 30 + 30 * i, 264 + 10 * k),
                    (ax + aw / 2 - 30 + 30 * i, ay - 1),
                ],
                colour,
            )
        f.rect(ax - 10, ay, aw + 20, 30, f"f-{colour} line", rx=4)
        f.text(ax + aw / 2, ay + 20, f"attention/forward[b{sequence},h{head}]", "t-ink code")
        others = sorted(set(range(count)) - set(waits))
        f.text(
            ax + aw / 2,
            ay + 48,
            f"heads {head} to {head + tiling.heads - 1}: waits for "
            + ", ".join(f"c{j}" for j in sorted(set(waits))),
            "t-soft small",
        )
        f.text(
            ax + aw / 2,
            ay + 64,
            "and not for " + ", ".join(f"c{j}" for j in others),
            "t-soft small",
        )
    # atty
    f.text(130, 250, f"atty ({tiling.n}, {c.C}):", "t-soft small")
    f.text(130, 266, "a tile per sequence", "t-soft small")
    f.text(130, 282, "and group of heads", "t-soft small")
    ty, tw = 300, 180
    groups = c.NH // tiling.heads
    for b in range(B):
        for k in range(groups):
            colour = colours[k % len(colours)] if b == sequence else "grey"
            f.rect(40 + k * tw / groups, ty + b * 24, tw / groups, 24, f"f-{colour} line", rx=0)
            f.text(
                40 + (k + 0.5) * tw / groups,
                ty + b * 24 + 16,
                f"b{b}, h{k * tiling.heads}",
                "t-ink code",
            )
    f.text(130, ty + B * 24 + 18, f"tiles of ({T}, {group})", "t-soft small")
    f.lines(
        450,
        466,
        [
            "Each of these attention ops can begin while other column tiles of qkv are still being computed.",
            "Under fork-join, it cannot: the run of all qkv ops ends first.",
        ],
        "t-soft small",
    )
    return f


FIGURES = {"fork_join": fork_join, "tasks": tasks, "dependences": dependences}
