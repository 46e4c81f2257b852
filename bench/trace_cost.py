#!/usr/bin/env python3
"""What does recording a timeline cost a step?

    bench/trace_cost.py build/weft [--runs 10] [--steps 40] [FLAG...]

Each run trains --steps steps without a timeline, as many with one, and as many without again, and
compares the median time of the steps in the middle with that of the others: both have the same
memory, and a machine that becomes slower or faster on the way does so for both. FLAGs are more flags
of weft train. Prints the ratio of each run, their median, and the ratio of the fastest steps.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

WARM_UP = 5  # steps
MODEL = ["--model", "L=12,NH=12,C=192,T=128", "--batch-size", "4", "--tokenizer", "bytes"]


def step_times(weft, directory, name, steps, flags):
    """Milliseconds of the steps of a run: those without a timeline, and those with one."""
    out, trace, first = directory / name, directory / "trace.json", WARM_UP + steps + 1
    subprocess.run([weft, "train", "--data", directory / "text.txt", "--out", out, "--steps",
                    str(WARM_UP + 3 * steps), "--trace", trace, "--trace-steps",
                    f"{first}:{first + steps - 1}", *MODEL, *flags],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    records = map(json.loads, (out / "metrics.jsonl").read_text().splitlines())
    times = [r["step_ms"] for r in records if r["kind"] == "train"][WARM_UP:]
    return times[:steps] + times[2 * steps:], times[steps:2 * steps]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weft", type=Path)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--steps", type=int, default=40)
    options, flags = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        subprocess.run([options.weft, "stories", "--out", directory / "text.txt"], check=True,
                       stderr=subprocess.DEVNULL)
        runs = [step_times(options.weft, directory, str(run), options.steps, flags)
                for run in range(options.runs)]
        events = json.loads((directory / "trace.json").read_text())["traceEvents"]
    ops = sum(e["ph"] == "X" and e["cat"] != "program" for e in events) / options.steps
    ratios = [statistics.median(traced) / statistics.median(others) for others, traced in runs]
    plain = [time for others, _ in runs for time in others]
    fastest = min(min(traced) for _, traced in runs) / min(plain)
    print("with / without, of each run:", " ".join(f"{ratio:.4f}" for ratio in sorted(ratios)))
    print(f"{ops:.0f} ops a step of {statistics.median(plain):.2f} ms (median)")
    print(f"with / without: {statistics.median(ratios):.4f} in the median, {fastest:.4f} of the fastest steps")


if __name__ == "__main__":
    sys.exit(main())
