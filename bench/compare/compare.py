#!/usr/bin/env python3
"""Times weft, PyTorch and llm.c on the same training step, one after the other, and compares them.

    bench/compare/compare.py --weft build/weft --seq-len 64,256,1024 --threads 2 \\
      --python venv/bin/python --llmc ../llm.c --json compare.json --markdown compare.md

The model is GPT-2 124M. In every round each program runs once, so that a busy machine slows all of
them alike; the median counts, over the steps of all rounds. Prints tables in Markdown. A program
that is missing or fails is left out, and named. README.md, beside this file, says how to get the
peers. Needs Python 3 only; PyTorch in the Python of --python.
"""

import argparse
import datetime
import json
import os
import shlex
import signal
import sys
import time
from pathlib import Path

import summary
from programs import (LeftOut, LlmC, PyTorch, Weft, Workload, describe_machine, llmc_commit)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog="weft's runs and their checkpoints (1.5 GB) go to TMPDIR, and are removed.")
    parser.add_argument("--weft", type=Path, required=True, help="the program: build/weft")
    parser.add_argument("--seq-len", type=lengths, default=[64, 256, 1024], metavar="T,T,...",
                        help="tokens per sequence [64,256,1024]")
    parser.add_argument("--batch-size", type=positive, default=4, help="sequences per step [4]")
    parser.add_argument("--threads", type=positive, default=len(os.sched_getaffinity(0)),
                        help="of every program; the CPUs in the affinity mask")
    parser.add_argument("--python", default=sys.executable, metavar="PATH",
                        help="a Python that has PyTorch; the one that runs this")
    parser.add_argument("--llmc", type=Path, metavar="DIR", help="where llm.c was built")
    parser.add_argument("--bf16", action="store_true", help="weft and PyTorch in bf16, too")
    parser.add_argument("--steps", type=positive, default=10,
                        help="steps of a run that count, of weft and PyTorch [10]")
    parser.add_argument("--warmup", type=positive, default=3, help="steps before them [3]")
    parser.add_argument("--llmc-steps", type=positive, default=3,
                        help="steps that count of llm.c, which is slow; one more comes before [3]")
    parser.add_argument("--rounds", type=positive, default=3, help="runs of each program [3]")
    parser.add_argument("--json", type=Path, metavar="FILE",
                        help="all step times; rewritten after each run")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="the tables")
    return parser.parse_args()


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


def lengths(text):
    values = [positive(word) for word in text.split(",")]
    if max(values) > summary.MAX_T:
        raise argparse.ArgumentTypeError(f"GPT-2 has at most {summary.MAX_T} tokens")
    return values


def make_programs(options):
    precisions = ["fp32", "bf16"] if options.bf16 else ["fp32"]
    programs = []
    for precision in precisions:
        programs.append(Weft(options.weft.absolute(), precision))
        programs += [PyTorch(options.python, precision, mode, attention)
                     for mode in ("eager", "compiled") for attention in ("flash", "math")]
    return programs + [LlmC(options.llmc and options.llmc.absolute(), options.llmc_steps)]


def say(text, end="\n"):
    print(text, end=end, file=sys.stderr, flush=True)


class Session:
    """Runs everything in turn, tells on stderr how it goes, and keeps what was measured."""

    def __init__(self, options):
        self.options = options
        self.machine = describe_machine(options.weft.absolute(), options.threads)
        self.versions = {}
        self.interrupted = False
        self.comparison = summary.Comparison(make_programs(options), options.batch_size,
                                             options.seq_len)

    def run(self):
        for T in self.options.seq_len:
            for number in range(1, self.options.rounds + 1):
                for program in self.comparison.programs:
                    self.run_program(program, T, number)
        self.measure_peaks_again()

    def run_program(self, program, T, number):
        if (program.name, T) in self.comparison.left_out:
            return
        o = self.options
        say(f"T={T} round {number} of {o.rounds}: {program.name} ... ", end="")
        start = time.monotonic()
        try:
            run = program.run(Workload(o.batch_size, T, o.threads, o.warmup, o.steps))
        except LeftOut as reason:
            self.comparison.left_out[program.name, T] = str(reason)
            say(f"left out: {reason}")
        else:
            self.comparison.runs[program.name, T].append(run)
            self.versions.update(run.about)
            rate = self.comparison.rate(run.step_ms, T)
            say(f"{rate:,.0f} tokens/s, {time.monotonic() - start:.0f} s")
        self.save()

    def measure_peaks_again(self):
        """Before and after: other programs only ever slow the measurement down."""
        after = describe_machine(self.options.weft.absolute(), self.options.threads)
        for key in ("peak_fp32", "peak_bf16", "bandwidth"):
            self.machine[key] = max(self.machine[key] or 0, after[key] or 0)

    def save(self):
        if self.options.json:
            self.options.json.write_text(json.dumps(self.as_json(), indent=1) + "\n")

    def as_json(self):
        o, c = self.options, self.comparison
        return {
            "command": shlex.join(sys.argv), "machine": self.machine, "versions": self.versions,
            "batch_size": o.batch_size, "threads": o.threads, "rounds": o.rounds,
            "runs": [{"program": name, "T": T, "round": number, "step_ms": run.step_ms,
                      "peak_bytes": run.peak_bytes}
                     for (name, T), runs in c.runs.items()
                     for number, run in enumerate(runs, start=1)],
            "left_out": [{"program": name, "T": T, "reason": reason}
                         for (name, T), reason in c.left_out.items()]}

    def markdown(self):
        o, c = self.options, self.comparison
        peaks = {"fp32": self.machine["peak_fp32"]}
        if o.bf16:
            peaks["bf16"] = self.machine["peak_bf16"]
        versions = {**self.versions, "llm.c": llmc_commit(o.llmc)}
        parts = [
            "\n".join([f"- {datetime.date.today()}: `{shlex.join(sys.argv)}`",
                       *summary.machine_lines(self.machine, versions),
                       *summary.left_out_lines(c),
                       *["- Interrupted: some runs are missing"] * self.interrupted]),
            f"GPT-2 124M, B={o.batch_size}, {o.threads} threads. Tokens/s of the median step; "
            f"rounds: {o.rounds}, in brackets the slowest and the fastest if there are several.",
            summary.speed_table(c),
            "Ratios of these, and FLOPs as llm.c counts them (6N + 6LCT per token) against the "
            "measured peak.",
            summary.standing_table(c, peaks),
            "Peak memory of the process.",
            summary.memory_table(c)]
        return "\n\n".join(parts) + "\n"


def main():
    options = parse_arguments()
    try:
        session = Session(options)
    except LeftOut as reason:
        sys.exit(f"compare.py: weft doctor: {reason}")
    # Either signal also ends the program that runs: none is left to slow the next measurement.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        session.run()
    except KeyboardInterrupt:
        session.interrupted = True
    session.save()
    text = session.markdown()
    if options.markdown:
        options.markdown.write_text(text)
    print(text, end="")
    if session.interrupted:
        return 128 + signal.SIGINT
    weft = session.comparison.programs[0].name
    return 0 if all(session.comparison.runs[weft, T] for T in options.seq_len) else 1


if __name__ == "__main__":
    sys.exit(main())
