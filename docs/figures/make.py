#!/usr/bin/env python3
"""Draws the figures of the guide.

    docs/figures/make.py            writes every SVG of this directory
    docs/figures/make.py --check    says which of them are not what the scripts draw, and exits 1

Shapes come from the code (code_shapes.py), timelines from a recorded trace (step_traces.json).
"""

import sys
from pathlib import Path

import attention_figures
import execution_figures
import model_figures
import scaling_figures
import strategies

HERE = Path(__file__).resolve().parent
FIGURES = (
    model_figures.FIGURES
    | attention_figures.FIGURES
    | execution_figures.FIGURES
    | scaling_figures.FIGURES
    | strategies.FIGURES
)


def main():
    check = sys.argv[1:] == ["--check"]
    wrong = []
    for name, draw in sorted(FIGURES.items()):
        path, svg = HERE / f"{name}.svg", draw().svg()
        if not check:
            path.write_text(svg, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != svg:
            wrong.append(f"{path}: not what docs/figures/make.py draws; run it")
    wrong += [
        f"{path}: no script draws it"
        for path in sorted(HERE.glob("*.svg"))
        if path.stem not in FIGURES
    ]
    print("\n".join(wrong) or f"figures: {len(FIGURES)} in order")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
