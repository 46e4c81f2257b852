#!/usr/bin/env python3
"""Trains in the cluster lab with each strategy, with and without overlap, at each bandwidth.

    bench/cluster/strategies.py --weft build/weft --hosts 4 --bandwidths 50mbit,200mbit,1gbit

Prints a Markdown table, medians over the steps after the first --warmup of each run and over --rounds runs:

    no limit  a step with --no-overlap on links without a limit, in ms: computation, and what communication costs the
              CPUs however fast the link
    without   a step with --no-overlap on this link
    comm      the time of it in which a transfer was under way on rank 0, as a share of a step without a limit: what
              communication adds where ranks that share a CPU do not use each other's waiting
    with      a step with overlap
    gone      the part of what the link adds to the step (without - no limit) that overlap takes off again
    hidden    of the time in which a transfer was under way with overlap, the part for which rank 0's workers had
              other ops

The hosts share this machine's CPUs: compare rows of one table, not with other machines. Exits with 77 where the
lab cannot run (scripts/cluster_lab.sh says why).
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
STRATEGIES = ["all-reduce", "sharded", "server"]
SKIPPED = 77
NO_LIMIT = "0"  # a bandwidth


class Failed(Exception):
    """A run that says nothing: (exit status, what it said)."""


def steps_of(metrics, warmup):
    """The records of the steps after the first `warmup`, from the text of a metrics.jsonl."""
    records = [json.loads(line) for line in metrics.splitlines()]
    return [record for record in records if record["kind"] == "train" and record["step"] > warmup]


def medians(steps):
    """Of some steps' records: milliseconds of a step and of communication, what share of that workers had
    other ops for, bytes."""
    def median(value):
        return statistics.median(map(value, steps))

    comm = sum(step["comm_ms"] for step in steps)
    return {"step_ms": median(lambda step: step["step_ms"]),
            "comm_ms": median(lambda step: step["comm_ms"]),
            "hidden": sum(step["hidden_comm_ms"] for step in steps) / comm if comm > 0 else None,
            "bytes_sent": median(lambda step: step["bytes_sent"])}


def train(o, directory, bandwidth, strategy, overlap):
    """Runs once and returns the records of its steps."""
    out = directory / "run"
    lab = [o.lab, "--cpus-per-host", o.cpus_per_host, "--ranks-per-host", o.ranks_per_host,
           "--mpirun", o.mpirun, o.hosts, bandwidth, o.latency, "--"]
    weft = [o.weft, "train", "--data", directory / "text.txt", "--tokenizer", "bytes",
            "--model", o.model, "--batch-size", o.batch_size, "--threads", o.threads,
            "--steps", o.warmup + o.steps, "--dist", strategy, "--bucket-mb", o.bucket_mb,
            *([] if overlap else ["--no-overlap"]), *o.train_flags, "--out", out]
    done = subprocess.run([str(word) for word in lab + weft], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failed(done.returncode, done.stderr)
    steps = steps_of((out / "metrics.jsonl").read_text(), o.warmup)
    for path in sorted(out.glob("**/*"), reverse=True):  # the next run starts afresh
        path.rmdir() if path.is_dir() else path.unlink()
    out.rmdir()
    return steps


def measure(o, directory):
    """{(bandwidth, strategy, overlap): medians}, all of them once per round, so that what else the machine
    does falls on all alike."""
    steps = {}
    for _ in range(o.rounds):
        for strategy in o.strategies:
            for bandwidth in [NO_LIMIT, *o.bandwidths]:
                for overlap in [False] if bandwidth == NO_LIMIT else [True, False]:
                    key = (bandwidth, strategy, overlap)
                    print(*key[:2], "" if overlap else "--no-overlap", file=sys.stderr)
                    steps.setdefault(key, []).extend(train(o, directory, *key))
    return {key: medians(records) for key, records in steps.items()}


def percent(share):
    return "-" if share is None else f"{100 * share:.0f} %"


def added(without, no_limit):
    """What communication adds to the computation of a step, as a share of it."""
    return without["comm_ms"] / no_limit["step_ms"]


def gone(with_it, without, no_limit):
    """The share of what the link adds that overlap takes off the step. None where the link adds nothing."""
    added_ms = without["step_ms"] - no_limit["step_ms"]
    return (without["step_ms"] - with_it["step_ms"]) / added_ms if added_ms > 0 else None


def table(results):
    """The lines of the Markdown table."""
    yield "| link | strategy | sent, MB | no limit, ms | without overlap, ms | comm | with overlap, ms | gone | hidden |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for (bandwidth, strategy, overlap), with_it in results.items():
        if not overlap:
            continue
        without, no_limit = results[bandwidth, strategy, False], results[NO_LIMIT, strategy, False]
        yield (f"| {bandwidth} | `{strategy}` | {with_it['bytes_sent'] / 1e6:.2f} | {no_limit['step_ms']:.0f} "
               f"| {without['step_ms']:.0f} | {percent(added(without, no_limit))} | {with_it['step_ms']:.0f} "
               f"| {percent(gone(with_it, without, no_limit))} | {percent(with_it['hidden'])} |")


def parse(arguments):
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)

    def words(text):
        return text.split(",")

    p.add_argument("--weft", type=Path, default=ROOT / "build" / "weft")
    p.add_argument("--lab", type=Path, default=ROOT / "scripts" / "cluster_lab.sh")
    p.add_argument("--mpirun", default="mpirun")
    p.add_argument("--hosts", type=int, default=4)
    p.add_argument("--ranks-per-host", type=int, default=1)
    p.add_argument("--cpus-per-host", type=int, default=1)
    p.add_argument("--threads", type=int, default=1, help="of a rank [1]")
    p.add_argument("--bandwidths", type=words, default=["50mbit", "200mbit", "1gbit"],
                   help="of the lab's links [50mbit,200mbit,1gbit]")
    p.add_argument("--latency", default="0")
    p.add_argument("--strategies", type=words, default=STRATEGIES)
    p.add_argument("--model", default="L=6,NH=4,C=256,T=128")
    p.add_argument("--batch-size", type=int, default=4)
    p.add_argument("--bucket-mb", type=float, default=1.)
    p.add_argument("--steps", type=int, default=10, help="measured, of each run [10]")
    p.add_argument("--warmup", type=int, default=3, help="steps before them [3]")
    p.add_argument("--rounds", type=int, default=1)
    p.add_argument("--json", type=Path, help="write the figures to this file, too")
    p.add_argument("train_flags", nargs="*", help="behind --: further flags of weft train")
    o = p.parse_args(arguments)
    if NO_LIMIT in o.bandwidths:
        p.error("--bandwidths: links without a limit are measured anyway")
    for strategy in o.strategies:
        if strategy not in STRATEGIES:
            p.error(f"--strategies: {strategy} is none of {', '.join(STRATEGIES)}")
    return o


def main(arguments):
    o = parse(arguments)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        subprocess.run([str(o.weft), "stories", "--bytes", "1000000", "--seed", "1",
                        "--out", str(directory / "text.txt")], check=True, stderr=subprocess.DEVNULL)
        try:
            results = measure(o, directory)
        except Failed as failed:
            status, said = failed.args
            print(said, file=sys.stderr)
            return status
    print(f"{o.hosts} hosts x {o.ranks_per_host} ranks x {o.threads} threads, {o.model}, "
          f"{o.batch_size} sequences a rank, buckets of {o.bucket_mb:g} MB, latency {o.latency}\n")
    print("\n".join(table(results)))
    if o.json:
        o.json.write_text(json.dumps(
            [{"bandwidth": key[0], "strategy": key[1], "overlap": key[2], **figures}
             for key, figures in results.items()], indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
