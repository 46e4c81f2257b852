#!/usr/bin/env python3
"""The shapes of a step, read from the code: what the figures and the tables of the guide show.

    docs/figures/code_shapes.py parameters|activations|tiles|ops [--model L=..,NH=..,C=..,T=..,V=..]
                                                                 [--batch-size B] [--seq-len T]

GPT-2 124M with B = 4 and T = 64 where nothing else is said. Sizes come from src/model/config.h and
the constants of src/model/tiling.cc, whose rules are repeated here; tests/docs_test.py compares the
ops with weft's.
"""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "src"


def constant(folder, name):
    """The value of `TYPE name = VALUE;` in a file of src/FOLDER, which may be a file itself."""
    path = SOURCES / folder
    for file in [path] if path.is_file() else sorted([*path.rglob("*.h"), *path.rglob("*.cc")]):
        found = re.search(
            rf"^[\w :]+ {name} = ([^;]+);", file.read_text(encoding="utf-8"), re.MULTILINE
        )
        if found:
            value = re.sub(r"int64_t\{(\d+)\}", r"\1", found.group(1))
            if re.fullmatch(r"[\d.e+*<> ()-]+f?", value):
                return eval(value.rstrip("f"))  # digits and operators only
    raise SystemExit(
        f"src/{folder} no longer says what {name} is: docs/figures/code_shapes.py must follow"
    )


def ceil_div(a, b):
    return -(-a // b)


def round_up(a, b):
    return ceil_div(a, b) * b


def split(n, tile):
    """How many pieces of `tile` cover n."""
    return ceil_div(n, tile)


@dataclass(frozen=True)
class Config:
    """The five numbers of src/model/config.h."""

    L: int = constant("model/config.h", "L")
    NH: int = constant("model/config.h", "NH")
    C: int = constant("model/config.h", "C")
    T: int = constant("model/config.h", "T")
    V: int = constant("model/config.h", "V")

    @property
    def HS(self):
        return self.C // self.NH

    @property
    def Vp(self):
        return round_up(self.V, constant("model", "kVocabularyPadding"))

    def linear(self):
        """(name, outputs N, inputs K) of the four linear layers of a block."""
        return [
            ("qkv", 3 * self.C, self.C),
            ("attproj", self.C, self.C),
            ("fc", 4 * self.C, self.C),
            ("fcproj", self.C, 4 * self.C),
        ]

    def parameters(self):
        """(name, rows, columns, how many) as in src/model/architecture.h; a vector has one row."""
        C, per_layer = self.C, self.L
        block = [
            ("ln1w", 1, C),
            ("ln1b", 1, C),
            ("qkvw", 3 * C, C),
            ("qkvb", 1, 3 * C),
            ("attprojw", C, C),
            ("attprojb", 1, C),
            ("ln2w", 1, C),
            ("ln2b", 1, C),
            ("fcw", 4 * C, C),
            ("fcb", 1, 4 * C),
            ("fcprojw", C, 4 * C),
            ("fcprojb", 1, C),
        ]
        return [
            ("wte", self.Vp, C, 1),
            ("wpe", self.T, C, 1),
            *((*p, per_layer) for p in block),
            ("lnfw", 1, C, 1),
            ("lnfb", 1, C, 1),
        ]


class Tiling:
    """How src/model/tiling.cc cuts a step of B sequences of T tokens."""

    def __init__(self, config, B, T):
        def of(name):
            return constant("model", name)

        self.config, self.B, self.T, self.n = config, B, T, B * T
        self.of, self.unit = of, of("kColumnUnit")
        self.rows = min(of("kRowTile"), self.n)
        self.norm_rows = min(of("kNormRows"), self.n)
        self.classifier_rows = min(of("kClassifierRows"), self.n)
        padding = constant("model", "kVocabularyPadding")
        widest = min(max(round_up(ceil_div(config.Vp, 8), padding), padding), 3 * padding)
        self.vocabulary_columns = self.units_for(
            of("kFlopsPerClassifierOp"), 2.0 * self.classifier_rows * config.C, padding, widest
        )
        self.classifier_columns = min(config.C, 6 * self.unit)
        flops_per_head = 2.0 * T * T * config.HS
        wanted = max(1, int(of("kFlopsPerAttentionOp") / flops_per_head))
        self.heads = max(h for h in range(1, min(config.NH, wanted) + 1) if config.NH % h == 0)

    @staticmethod
    def units_for(flops, flops_per_column, unit, limit):
        return min(max(round_up(int(flops / flops_per_column), unit), unit), max(limit, unit))

    def columns(self, N, K):
        widest = min(ceil_div(N, self.of("kColumnBlocks")), self.of("kPackedFloats") // K)
        return self.units_for(
            self.of("kFlopsPerOp"),
            2.0 * self.rows * K,
            self.unit,
            round_up(max(widest, 1), self.unit),
        )

    def weight_columns(self, K):
        return round_up(ceil_div(K, ceil_div(K, self.of("kWeightColumns"))), self.unit)

    def weight_rows(self, N, K):
        return self.units_for(
            self.of("kFlopsPerWeightOp"),
            2.0 * self.n * self.weight_columns(K),
            self.unit,
            min(N, self.of("kWeightRows")),
        )

    def ops(self):
        """How many ops of each kind a step of one micro-batch has, without --recompute."""
        c, n = self.config, self.n
        rows, norms = split(n, self.rows), split(n, self.norm_rows)
        chunks, blocks = split(n, self.classifier_rows), split(c.Vp, self.vocabulary_columns)
        groups = min(constant("model", "kVocabularyGroups"), blocks)
        chunk_rows = [
            min(self.classifier_rows, n - i * self.classifier_rows) for i in range(chunks)
        ]
        classifier_tiles = sum(split(r, self.rows) for r in chunk_rows) * split(
            c.C, self.classifier_columns
        )
        heads = self.B * c.NH // self.heads
        kinds = {
            "embedding/forward": norms,
            "lnf/forward": norms,
            "lnf/backward": norms,
            "lnf/dW": 1,
            "embedding/dwte": 1,
            "embedding/dwpe": split(self.T, self.of("kPositionTile")),
            "loss/sum": 1,
            "norm": 1,
            "classifier/logits": chunks * blocks,
            "classifier/cross_entropy": sum(split(r, self.norm_rows) for r in chunk_rows),
            "classifier/dX": groups * classifier_tiles,
            "classifier/dX_sum": classifier_tiles,
            "classifier/dW": chunks * blocks,
            "attention/forward": c.L * heads,
            "attention/backward": c.L * heads,
        }
        for ln in ("ln1", "ln2"):
            kinds |= {f"{ln}/forward": c.L * norms, f"{ln}/backward": c.L * norms, f"{ln}/dW": c.L}
        for name, N, K in c.linear():
            kinds[f"{name}/forward"] = c.L * rows * split(N, self.columns(N, K))
            kinds[f"{name}/dX"] = c.L * rows * split(K, self.columns(K, N))
            kinds[f"{name}/dW"] = (
                c.L * split(N, self.weight_rows(N, K)) * split(K, self.weight_columns(K))
            )
        pieces = {"wte": blocks, "wpe": split(c.T, self.of("kPositionTile"))}
        weights = {f"{name}w": (N, K) for name, N, K in c.linear()}
        tiles = {
            name: split(weights[name][0], self.weight_rows(*weights[name]))
            * split(weights[name][1], self.weight_columns(weights[name][1]))
            for name in weights
        }
        every = {
            name: pieces.get(name, tiles.get(name, 1)) * many for name, _, _, many in c.parameters()
        }
        kinds["update"] = sum(
            every.values()
        )  # at the head of the next step's program, where it clips
        kinds["norm/partials"] = sum(count for name, count in every.items() if name not in tiles)
        return kinds


def table(rows):
    """Lines of left-aligned words; columns of numbers are right-aligned."""
    cells = [[f"{cell:,}" if isinstance(cell, int) else cell for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for row, kinds in zip(cells, [rows[-1]] + rows[1:]):
        yield "  ".join(
            cell.rjust(w) if isinstance(kind, int) else cell.ljust(w)
            for cell, w, kind in zip(row, widths, kinds)
        ).rstrip()


def parameter_table(config, _):
    rows = [("tensor", "shape", "how many", "elements")]
    for name, r, c, many in config.parameters():
        rows.append((name, f"({c})" if r == 1 else f"({r}, {c})", many, r * c * many))
    total = sum(row[3] for row in rows[1:])
    return [*rows, ("all", "", sum(row[2] for row in rows[1:]), total)]


def activation_table(config, tiling):
    C, n, B, T = config.C, tiling.n, tiling.B, tiling.T
    per_layer = [
        ("ln1", n, C),
        ("qkv", n, 3 * C),
        ("atty", n, C),
        ("lse", B, config.NH * T),
        ("residual_mid", n, C),
        ("ln2", n, C),
        ("fch", n, 4 * C),
        ("residual_out", n, C),
    ]
    rows = [("buffer", "shape", "how many", "floats")]
    rows.append(("encoded", f"({n}, {C})", 1, n * C))
    for name, r, c in per_layer:
        rows.append((name, f"({r}, {c})", config.L, r * c * config.L))
    rows.append(("fch_gelu", f"({n}, {4 * C})", 2, 2 * n * 4 * C))
    rows.append(("lnf", f"({n}, {C})", 1, n * C))
    rows.append(
        (
            "logits",
            f"({tiling.classifier_rows}, {config.Vp})",
            1,
            tiling.classifier_rows * config.Vp,
        )
    )
    return rows


def tile_table(config, tiling):
    rows = [("op", "computes", "ops of a layer")]
    for name, N, K in config.linear():
        count = split(tiling.n, tiling.rows) * split(N, tiling.columns(N, K))
        rows.append(
            (
                f"{name}/forward",
                f"({tiling.rows}, {min(N, tiling.columns(N, K))}) of ({tiling.n}, {N})",
                count,
            )
        )
    for name, N, K in config.linear():
        count = split(tiling.n, tiling.rows) * split(K, tiling.columns(K, N))
        rows.append(
            (
                f"{name}/dX",
                f"({tiling.rows}, {min(K, tiling.columns(K, N))}) of ({tiling.n}, {K})",
                count,
            )
        )
    for name, N, K in config.linear():
        r, c = tiling.weight_rows(N, K), tiling.weight_columns(K)
        rows.append(
            (f"{name}/dW", f"({min(N, r)}, {min(K, c)}) of ({N}, {K})", split(N, r) * split(K, c))
        )
    rows.append(
        (
            "attention",
            f"{tiling.heads} of {config.NH} heads of one sequence",
            tiling.B * config.NH // tiling.heads,
        )
    )
    rows.append(
        (
            "layernorm",
            f"({tiling.norm_rows}, {config.C}) of ({tiling.n}, {config.C})",
            split(tiling.n, tiling.norm_rows),
        )
    )
    return rows


def ops_table(_, tiling):
    kinds = sorted(tiling.ops().items())
    return [("op", "ops of a step"), *kinds, ("all", sum(count for _, count in kinds))]


TABLES = {
    "parameters": parameter_table,
    "activations": activation_table,
    "tiles": tile_table,
    "ops": ops_table,
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("--model", default="", metavar="L=..,NH=..,C=..,T=..,V=..")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--seq-len", type=int, default=64)
    options = parser.parse_args()
    sizes = dict(field.split("=") for field in options.model.split(",") if field)
    config = Config(**{name: int(value) for name, value in sizes.items()})
    rows = TABLES[options.table](config, Tiling(config, options.batch_size, options.seq_len))
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
