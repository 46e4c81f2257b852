#!/usr/bin/env python3
"""Records step_traces.json: one training step as fork-join ran it, and one as tasks did.

    docs/figures/record_traces.py WEFT          on a machine that is otherwise idle
    docs/figures/record_traces.py --show        what the recorded steps say

Each executor trains the same small model with --trace; of all traced steps the fastest is kept. A
place in the list of ops is a barrier if, in every traced step of fork-join, all ops before it ended
before any after it began.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

FILE = Path(__file__).resolve().parent / "step_traces.json"
STEPS, FIRST = 60, 11
FLAGS = [
    "--tokenizer",
    "bytes",
    "--model",
    "L=2,NH=4,C=256,T=128",
    "--batch-size",
    "4",
    "--threads",
    "2",
    "--steps",
    str(STEPS),
    "--trace-steps",
    f"{FIRST}:{STEPS - 1}",
]


def traced_steps(path):
    """The ops of each traced step, in list order: that is how the trace is written."""
    steps = {}
    for event in json.loads(path.read_text(encoding="utf-8"))["traceEvents"]:
        if event["ph"] == "X" and event["cat"] != "program":
            steps.setdefault(event["args"]["step"], []).append(event)
    return steps


def barriers(ops):
    """The places between ops that all earlier ones ended before and all later ones began after."""
    places, last_end = set(), 0.0
    first_begin = [float("inf")] * (len(ops) + 1)
    for i in reversed(range(len(ops))):
        first_begin[i] = min(first_begin[i + 1], ops[i]["ts"])
    for i, op in enumerate(ops):
        if i and last_end <= first_begin[i]:
            places.add(i)
        last_end = max(last_end, op["ts"] + op["dur"])
    return places


def reduced(steps):
    """The fastest step, in whole microseconds from its start, and the runs between barriers."""

    def length(ops):
        return max(op["ts"] + op["dur"] for op in ops) - min(op["ts"] for op in ops)

    step, ops = min(steps.items(), key=lambda item: length(item[1]))
    begin = min(op["ts"] for op in ops)
    every = set.intersection(*(barriers(ops) for ops in steps.values()))
    first_track = min(op["tid"] for op in ops)
    return {
        "step": step,
        "of": len(steps),
        "runs": [0, *sorted(every), len(ops)],
        "ops": [
            [
                op["name"],
                op["cat"],
                op["tid"] - first_track,
                round(op["ts"] - begin),
                round(op["dur"]),
            ]
            for op in ops
        ],
    }


def record(weft):
    result = {"flags": " ".join(FLAGS)}
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        subprocess.run([weft, "stories", "--out", directory / "stories.txt"], check=True)
        for executor in ("fork-join", "tasks"):
            trace = directory / f"{executor}.json"
            subprocess.run(
                [
                    weft,
                    "train",
                    "--data",
                    directory / "stories.txt",
                    "--out",
                    directory / executor,
                    "--exec",
                    executor,
                    "--trace",
                    trace,
                    *FLAGS,
                ],
                check=True,
                stderr=subprocess.DEVNULL,
            )
            result[executor] = reduced(traced_steps(trace))
    text = json.dumps(result, separators=(",", ":"))
    FILE.write_text(
        text.replace('],["', '],\n["')
        .replace('"ops":[[', '"ops":[\n[')
        .replace(',"tasks"', ',\n"tasks"')
        + "\n",
        encoding="utf-8",
    )


def length(recorded):
    return max(begin + duration for _, _, _, begin, duration in recorded["ops"])


def idle(recorded):
    """The share of two threads' time that is outside of ops."""
    return 1 - sum(op[4] for op in recorded["ops"]) / (2 * length(recorded))


def widths(recorded):
    return [end - begin for begin, end in zip(recorded["runs"], recorded["runs"][1:])]


def show():
    recorded = json.loads(FILE.read_text(encoding="utf-8"))
    for executor in ("fork-join", "tasks"):
        r = recorded[executor]
        print(
            f"{executor}: {len(r['ops'])} ops in {length(r) / 1e3:.1f} ms, {100 * idle(r):.1f} % of two threads idle; "
            f"the fastest of {r['of']} steps"
        )
    w = widths(recorded["fork-join"])
    print(
        f"runs of fork-join: {len(w)}, of one op {w.count(1)}, of fewer than 8 {sum(x < 8 for x in w)}, widest {max(w)}"
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] != "--show":
        record(sys.argv[1])
    show()
