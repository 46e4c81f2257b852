#!/usr/bin/env python3
"""Compares training runs on one machine, step by step in turn.

    bench/by_turns.py --steps 20 \\
        one='build/weft train --data my.bin --model gpt2 --batch-size 8 --threads 2 --out runs/one' \\
        two='mpirun -np 2 --bind-to core build/weft train --data my.bin --model gpt2 --batch-size 4 --threads 1 --out runs/two'

A machine that others use, too, changes its speed within minutes, and runs one after the other measure that. So all
runs are started at once, and all but one are stopped (SIGSTOP) while that one makes a step; then the next one does.
A step's time is that from going on to the line that it leaves in metrics.jsonl. Each round begins with another run.

Prints a Markdown table: seconds a step (median, least, most), tokens/s, and tokens/s against the first run's: the
median of all rounds, and what the middle half of them lies between. All runs are in memory at the same time, and are
killed at the end.
"""

import argparse
import contextlib
import json
import os
import shlex
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

POLL_S = 0.002
LONGEST_START_S = 600  # without a line in the log


class Failed(Exception):
    pass


def descendants(pid):
    """The process and all that it has started, by /proc."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # one that has ended meanwhile
            # "pid (name) state ppid ..", and a name may hold anything.
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for process in found:
        found.extend(child for child, parent in parents.items() if parent == process)
    return found


class Run:
    """A run of weft train, with the processes that its launcher started."""

    def __init__(self, name, command):
        self.name = name
        self.command = shlex.split(command)
        if "--out" not in self.command[:-1]:
            raise Failed(f"{name}: the command has no --out DIR, where its log would be")
        out = Path(self.command[self.command.index("--out") + 1])
        if out.exists():
            raise Failed(f"{name}: {out} is there already; remove it or name another")
        self.metrics = out / "metrics.jsonl"
        self.seconds = []
        self.tokens = None  # of a step
        self.process = None
        self.read = 0

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)

    def signal(self, number):
        for process in descendants(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def new_steps(self):
        """How many have ended since the last call."""
        if not self.metrics.exists():
            return 0
        with open(self.metrics, "rb") as log:
            log.seek(self.read)
            text = log.read()
        whole = text[:text.rfind(b"\n") + 1]
        self.read += len(whole)
        records = [json.loads(line) for line in whole.splitlines()]
        for record in records:
            self.tokens = record.get("tokens_per_step", self.tokens)
        return sum(record["kind"] == "train" for record in records)

    def step(self):
        """Seconds until one step more has ended, and maybe another one."""
        start = time.monotonic()
        while (ended := self.new_steps()) == 0:
            if self.process.poll() is not None:
                raise Failed(f"{self.name} has ended with status {self.process.returncode}: give it more --steps, "
                             f"or look what it says:\n{shlex.join(self.command)}")
            if self.read == 0 and time.monotonic() - start > LONGEST_START_S:
                raise Failed(f"{self.name} leaves nothing in {self.metrics}")
            time.sleep(POLL_S)
        return (time.monotonic() - start) / ended

    def turn(self, steps=1):
        """Goes on for so many steps, and is stopped again."""
        self.signal(signal.SIGCONT)
        try:
            return [self.step() for _ in range(steps)]
        finally:
            self.signal(signal.SIGSTOP)
            self.new_steps()  # one that ended meanwhile is nobody's

    def end(self):
        if self.process is not None:
            self.signal(signal.SIGKILL)
            self.process.wait()


def measure(runs, warmup, steps):
    """Fills in the seconds of each run's steps."""
    try:
        for run in runs:
            run.start()
            run.turn(warmup)
            print(f"{run.name}: {warmup} steps to warm up", file=sys.stderr)
        for i in range(steps):
            for k in range(len(runs)):
                run = runs[(i + k) % len(runs)]
                run.seconds += run.turn()
            print(f"round {i + 1} of {steps}:", *(f"{run.name} {run.seconds[-1]:.2f} s" for run in runs),
                  file=sys.stderr)
    finally:
        for run in runs:
            run.end()


def table(runs):
    """The lines of the Markdown table."""
    yield "| | s a step | least | most | tokens/s | against the first | middle half |"
    yield "|---|---|---|---|---|---|---|"
    for run in runs:
        median = statistics.median(run.seconds)
        ratios = [run.tokens / own / (runs[0].tokens / first) for own, first in zip(run.seconds, runs[0].seconds)]
        low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
        yield (f"| {run.name} | {median:.2f} | {min(run.seconds):.2f} | {max(run.seconds):.2f} "
               f"| {run.tokens / median:.0f} | {100 * middle:.1f} % | {100 * low:.1f} to {100 * high:.1f} % |")


def parse(arguments):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--steps", type=int, default=20, help="of each run [20]")
    p.add_argument("--warmup", type=int, default=2, help="steps before them [2]")
    p.add_argument("runs", nargs="+", metavar="NAME=COMMAND", help="a weft train, perhaps behind mpirun, with --out")
    o = p.parse_args(arguments)
    if o.steps < 2 or o.warmup < 1:
        p.error("--steps must be 2 at least, and --warmup 1")
    if len(o.runs) < 2:
        p.error("nothing to compare with: give two runs or more")
    for run in o.runs:
        if not run.partition("=")[2]:
            p.error(f"'{run}' is no NAME=COMMAND")
    return o


def main(arguments):
    o = parse(arguments)
    try:
        runs = [Run(*run.split("=", 1)) for run in o.runs]
        measure(runs, o.warmup, o.steps)
    except (Failed, OSError) as error:
        print(f"by_turns: {error}", file=sys.stderr)
        return 1
    print("\n".join(table(runs)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
