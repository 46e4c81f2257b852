"""The figure of docs/simulation.md: how strategies scale, as `weft simulate` predicts it."""

import json
import math
from pathlib import Path

from svg import Figure

STUDY = Path(__file__).resolve().parent / "scaling_study.json"
NAMES = {"gpt2": "GPT-2 124M", "gpt2-medium": "GPT-2 350M", "gpt2-large": "GPT-2 774M",
         "gpt2-xl": "GPT-2 1558M"}
LINES = [  # of the study, colour, dashed
    ("all-reduce tasks", "blue", ""),
    ("sharded tasks", "green", ""),
    ("server tasks", "red", ""),
    ("all-reduce fork-join", "blue", " dash"),
    ("sharded fork-join", "green", " dash"),
]
WIDTH, HEIGHT, LEFT, TOP, GAP = 320, 200, 56, 44, 56


def panel(f, x, name, series):
    """Tokens per second and node against one node, over the number of nodes."""
    nodes = [point["nodes"] for point in series[LINES[0][0]]]
    decades = math.log2(nodes[-1] / nodes[0])

    def place(point, first):
        share = point["tokens_per_s"] / point["nodes"] / (first["tokens_per_s"] / first["nodes"])
        return x + WIDTH * math.log2(point["nodes"] / nodes[0]) / decades, TOP + HEIGHT * (1 - share)

    f.text(x, TOP - 16, NAMES[name], "t-ink bold", "start")
    for share in (0, 25, 50, 75, 100):
        y = TOP + HEIGHT * (1 - share / 100)
        f.polyline([(x, y), (x + WIDTH, y)], "line s-rule" if share == 0 else "line s-faint")
        f.text(x - 8, y + 4, f"{share} %", "t-soft small", "end")
    for n in nodes:
        at = x + WIDTH * math.log2(n / nodes[0]) / decades
        f.text(at, TOP + HEIGHT + 16, str(n), "t-soft small")
    f.text(x + WIDTH / 2, TOP + HEIGHT + 34, "nodes", "t-soft small")
    for key, colour, dash in LINES:
        points = series[key]
        f.polyline([place(p, points[0]) for p in points], f"line thick s-{colour}{dash}")


def simulated_scaling():
    study = json.loads(STUDY.read_text(encoding="utf-8"))
    models = study["models"]
    f = Figure(
        LEFT + len(models) * (WIDTH + GAP),
        TOP + HEIGHT + 84,
        "Predicted weak scaling of three strategies",
        f"For each model, tokens per second and node against one node, over the number of nodes, for each strategy "
        f"under tasks and for two of them under fork-join. {study['batch_size']} sequences of {study['seq_len']} "
        f"tokens on each node of {study['cores']} cores, links of {study['bandwidth_gbps']:g} Gbit/s.",
    )
    for i, (name, series) in enumerate(models.items()):
        panel(f, LEFT + i * (WIDTH + GAP), name, series)
    x, y = LEFT, TOP + HEIGHT + 62
    for key, colour, dash in LINES:
        f.polyline([(x, y - 4), (x + 24, y - 4)], f"line thick s-{colour}{dash}")
        f.text(x + 30, y, key.replace(" ", ", "), "t-soft small", "start")
        x += 56 + 6.2 * len(key)
    return f


FIGURES = {"simulated_scaling": simulated_scaling}
