"""The figures of docs/distributed.md: what ranks send, when they send it, and in which order they add."""

from svg import Figure

RANKS = 4

# ---- Who sends what to whom


def memory(f, x, y, weights, gradients, moments):
    """What a rank keeps of the weights, the gradients' sum and AdamW's moments: parts of RANKS."""
    for row, (kept, colour) in enumerate(
        [(gradients, "orange"), (moments, "purple"), (weights, "blue")]
    ):
        for part in range(RANKS):
            look = f"f-{colour} line" if part in kept else "line s-rule dash"
            f.rect(x + part * 26, y + row * 26, 26, 22, look, rx=1)


def row_names(f, y):
    for row, name in enumerate(["sum of gradients", "moments m and v", "weights, updated"]):
        f.text(150, y + row * 26 + 15, name, "t-soft small", "end")


def strategy(f, y, name, words, keeps, sums, returns):
    """A row of the figure. keeps(rank): parts of (weights updated here, gradients, moments)."""
    f.text(20, y, name, "t-ink code bold", "start")
    f.text(150, y, words, "t-soft small", "start")
    row_names(f, y + 22)
    for rank in range(RANKS):
        x = 170 + rank * 160
        memory(f, x, y + 22, *keeps(rank))
    f.lines(20, y + 120, [sums, returns], "t-ink small", "start")


def strategies():
    everything = set(range(RANKS))
    f = Figure(
        830,
        560,
        "Who adds gradients and who updates weights",
        "For each strategy, what each of four ranks has of the summed gradients, of AdamW's moments "
        "and of the updated weights, before weights return. all-reduce: all of each on every rank. "
        "sharded: a quarter of each on every rank. server: all of each on rank 0.",
    )
    for rank in range(RANKS):
        f.text(170 + rank * 160 + 52, 28, f"rank {rank}", "t-ink bold")
    strategy(
        f, 60, "all-reduce", "everyone updates everything",
        lambda _: (everything, everything, everything),
        "gradients: all-reduce, 2 (N - 1)/N P from each rank",
        "weights: nothing to send, all ranks computed the same",
    )
    strategy(
        f, 230, "sharded", "each rank updates a share",
        lambda rank: ({rank}, {rank}, {rank}),
        "gradients: each share to its rank, (N - 1)/N P from each",
        "weights: all-gather, (N - 1)/N P from each rank",
    )
    strategy(
        f, 400, "server", "rank 0 updates",
        lambda rank: (everything,) * 3 if rank == 0 else (set(),) * 3,
        "gradients: reduce to rank 0, P from each other rank",
        "weights: broadcast from rank 0, P to each other rank",
    )
    return f


# ---- When: a step's timeline, computed from the times of its parts

LAYERS = 5
FORWARD, BACKWARD, UPDATE = 10.0, 20.0, 2.0  # of a layer
SUM, SPREAD = 13.0, 13.0  # of a layer's gradients, and of its weights
LOSS = 8.0


def overlapped():
    """[(lane, kind, layer, begin, end)] of one step of `sharded`: from the update to the last sum."""
    spans, link, weights = [], 0.0, {}
    clock = 0.0
    for layer in range(LAYERS):
        spans.append(("cores", "update", layer, clock, clock + UPDATE))
        clock += UPDATE
        link = max(link, clock)
        weights[layer] = link + SPREAD
        spans.append(("network", "weights", layer, link, weights[layer]))
        link = weights[layer]
    for layer in range(LAYERS):
        clock = max(clock, weights[layer])
        spans.append(("cores", "forward", layer, clock, clock + FORWARD))
        clock += FORWARD
    spans.append(("cores", "loss", "", clock, clock + LOSS))
    clock += LOSS
    for layer in reversed(range(LAYERS)):
        spans.append(("cores", "backward", layer, clock, clock + BACKWARD))
        clock += BACKWARD
        link = max(link, clock)
        spans.append(("network", "sum", layer, link, link + SUM))
        link += SUM
    return spans


def one_after_the_other():
    spans, clock = [], 0.0

    def then(lane, kind, layer, duration):
        nonlocal clock
        spans.append((lane, kind, layer, clock, clock + duration))
        clock += duration

    for layer in range(LAYERS):
        then("cores", "update", layer, UPDATE)
    for layer in range(LAYERS):
        then("network", "weights", layer, SPREAD)
    for layer in range(LAYERS):
        then("cores", "forward", layer, FORWARD)
    then("cores", "loss", "", LOSS)
    for layer in reversed(range(LAYERS)):
        then("cores", "backward", layer, BACKWARD)
    for layer in reversed(range(LAYERS)):
        then("network", "sum", layer, SUM)
    return spans


FILL = {"update": "green", "forward": "blue", "loss": "grey", "backward": "orange",
        "weights": "purple", "sum": "red"}
MEANING = {"update": "AdamW of a layer's share", "weights": "its weights return",
           "forward": "forward", "loss": "loss", "backward": "backward",
           "sum": "sum of its gradients"}


def lanes(f, y, name, spans, scale):
    end = max(span[4] for span in spans)
    f.text(20, y - 10, name, "t-ink code bold", "start")
    for row, lane in enumerate(["cores", "network"]):
        at = y + row * 34
        f.rect(90, at, end * scale, 28, "p-faint", rx=0)
        f.text(82, at + 18, lane, "t-soft small", "end")
    for lane, kind, layer, begin, stop in spans:
        at = y + (34 if lane == "network" else 0)
        f.rect(90 + begin * scale, at, (stop - begin) * scale - 0.6, 28, f"f-{FILL[kind]} line", rx=0)
        if (stop - begin) * scale > 14:
            f.text(90 + (begin + stop) / 2 * scale, at + 18, str(layer), "t-ink small")
    f.polyline([(90 + end * scale, y - 6), (90 + end * scale, y + 68)], "line thick s-ink")


def overlap():
    spans, apart = overlapped(), one_after_the_other()
    length = max(span[4] for span in apart)
    scale = 690 / length
    f = Figure(
        800,
        262,
        "Communication beside computation",
        "Two timelines of a step under the strategy sharded, with a lane for the cores and one for the "
        "network. Overlapped, the weights of a layer return while layers before it compute, and a "
        "layer's gradients are summed while the layers before it go backward. With --no-overlap the two "
        "lanes take turns, and the step is longer.",
    )
    lanes(f, 40, "tasks", spans, scale)
    lanes(f, 150, "--no-overlap", apart, scale)
    x = 90
    for kind, words in MEANING.items():
        f.rect(x, 232, 12, 12, f"f-{FILL[kind]} line", rx=1)
        f.text(x + 17, 242, words, "t-soft small", "start")
        x += 32 + 6.3 * len(words)
    return f


# ---- In which order: the tree of a reproducible sum

MICRO_BATCHES = 8


def tree(begin, end):
    """[(begin, end)] of the sums over micro-batches [begin, end), as SumTree cuts them."""
    if end - begin == 1:
        return []
    left = 1
    while 2 * left < end - begin:
        left *= 2
    return [*tree(begin, begin + left), *tree(begin + left, end), (begin, end, begin + left)]


def nodes_of(begin, end, first, last):
    """The largest nodes of the tree over [first, last) that lie within [begin, end)."""
    if begin <= first and last <= end:
        return [(first, last)]
    if last <= begin or end <= first:
        return []
    left = 1
    while 2 * left < last - first:
        left *= 2
    return [*nodes_of(begin, end, first, first + left), *nodes_of(begin, end, first + left, last)]


def height(begin, end):
    return 0 if end - begin == 1 else (end - begin - 1).bit_length()


def draw_tree(f, x, y, ranks):
    step = 40
    per_rank = MICRO_BATCHES // ranks

    def centre(begin, end):
        return x + (begin + end - 1) / 2 * step, y + 116 - height(begin, end) * 34

    kept = [node for rank in range(ranks)
            for node in nodes_of(rank * per_rank, (rank + 1) * per_rank, 0, MICRO_BATCHES)]
    for begin, end, middle in tree(0, MICRO_BATCHES):
        local = any(b <= begin and end <= e for b, e in kept)
        for child in ((begin, middle), (middle, end)):
            f.polyline([centre(*child), centre(begin, end)], "line s-orange" if local else "line thick s-purple")
    for begin, end, _ in tree(0, MICRO_BATCHES):
        local = any(b <= begin and end <= e for b, e in kept)
        at = centre(begin, end)
        f.rect(at[0] - 9, at[1] - 9, 18, 18, "p-paper", rx=9)
        f.rect(at[0] - 9, at[1] - 9, 18, 18, "f-orange line" if local else "f-purple line", rx=9)
        f.text(at[0], at[1] + 4, "+", "t-ink")
    for i in range(MICRO_BATCHES):
        f.rect(x + i * step - 11, y + 107, 22, 18, "p-paper", rx=2)
        f.rect(x + i * step - 11, y + 107, 22, 18, "f-blue line", rx=2)
        f.text(x + i * step, y + 120, str(i), "t-ink small")
    for rank in range(ranks):
        left = x + rank * per_rank * step - 15
        f.rect(left, y + 101, per_rank * step - 10, 46, "line s-rule dash", rx=4)
        f.text(left + (per_rank * step - 10) / 2, y + 142, f"rank {rank}", "t-soft small")


def sum_tree():
    f = Figure(
        760,
        222,
        "One tree of sums for any number of ranks",
        "Eight micro-batches are added in one binary tree, by two ranks and by four. The sums within a "
        "rank's micro-batches are its own; those above are of terms that were exchanged. The tree is "
        "the same.",
    )
    draw_tree(f, 46, 34, 2)
    draw_tree(f, 426, 34, 4)
    f.rect(26, 194, 12, 12, "f-orange line", rx=6)
    f.text(44, 204, "added on the rank that computed both", "t-soft small", "start")
    f.rect(296, 194, 12, 12, "f-purple line", rx=6)
    f.text(314, 204, "added on the rank that owns the share, after an exchange", "t-soft small", "start")
    return f


FIGURES = {"strategies": strategies, "overlap": overlap, "sum_tree": sum_tree}
