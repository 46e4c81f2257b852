#!/usr/bin/env python3
"""What does recording a timeline cost a step?

    bench/trace_cost.py build/weft [--pairs 10] [--steps 40] [FLAG...]

Trains by turns without and with --trace (of every step), and compares the times of the steps that
metrics.jsonl has, of each pair of runs: a machine that is busy slows both. FLAGs are more flags of
weft train. Prints the ratio of the medians of each pair, their median, and the ratio of the fastest
step of all with to the fastest without.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

WARM_UP = 3  # steps
MODEL = ["--model", "L=12,NH=12,C=192,T=128", "--batch-size", "4", "--tokenizer", "bytes"]


def step_times(weft, directory, name, steps, flags):
    """Milliseconds of the steps of a run."""
    out = directory / name
    subprocess.run([weft, "train", "--data", directory / "text.txt", "--out", out, "--steps",
                    str(steps), *MODEL, *flags], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    records = map(json.loads, (out / "metrics.jsonl").read_text().splitlines())
    return [r["step_ms"] for r in records if r["kind"] == "train"][WARM_UP:]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weft", type=Path)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--steps", type=int, default=40)
    options, flags = parser.parse_known_args()
    without, traced = [], []
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        subprocess.run([options.weft, "stories", "--out", directory / "text.txt"], check=True)
        trace = directory / "trace.json"
        for pair in range(options.pairs):
            for times, more in ((without, []), (traced, ["--trace", trace, "--trace-steps",
                                                         f"1:{options.steps}"])):
                times.append(step_times(options.weft, directory, f"{pair}-{len(more)}",
                                        options.steps, [*flags, *more]))
        events = json.loads(trace.read_text())["traceEvents"]
    slices = [e for e in events if e["ph"] == "X" and e["cat"] != "program"]
    ops = len(slices) / options.steps
    ratios = [statistics.median(b) / statistics.median(a) for a, b in zip(without, traced)]
    print("ratio of each pair:", " ".join(f"{ratio:.4f}" for ratio in ratios))
    print(f"{ops:.0f} ops a step of {statistics.median(sum(without, [])):.2f} ms (median)")
    print(f"with / without: {statistics.median(ratios):.4f} in the median, "
          f"{min(map(min, traced)) / min(map(min, without)):.4f} of the fastest steps")


if __name__ == "__main__":
    sys.exit(main())
