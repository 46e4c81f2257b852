#!/usr/bin/env python3
"""Compares what `weft simulate` predicts with what weft takes.

    bench/simulate/validate.py --weft build/weft                     one process, each executor, 1 and 2 threads
    bench/simulate/validate.py --weft build/weft --hosts 2,4 \\
        --bandwidths 200mbit,1gbit                                   ranks in scripts/cluster_lab.sh

Prints Markdown. One process measures costs and times the steps of all executors, a step of each in turn: other
programs fall on all alike. In the lab costs, network and training follow each other, and costs are measured with as many
processes at once as there are ranks, because the hosts share this machine's CPUs. All of it --rounds times; figures are
medians over the rounds, and the error is that of the medians. Exits with 77 where the lab cannot run.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bench" / "cluster"))
import strategies  # noqa: E402


def run(*words):
    """The standard output of a command that must succeed."""
    words = [str(word) for word in words]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        print("failed:", " ".join(words), file=sys.stderr)
        sys.exit(done.returncode)
    return done.stdout


def progress(*words):
    print(*words, file=sys.stderr, flush=True)


class Series:
    """Measured and predicted values of each key, over the rounds."""

    def __init__(self):
        self.measured, self.predicted = {}, {}

    def add(self, key, measured, predicted):
        self.measured.setdefault(key, []).append(measured)
        self.predicted.setdefault(key, []).append(predicted)

    def rows(self):
        """(key, median measured, least, most, median predicted, relative error)"""
        for key, values in self.measured.items():
            measured = statistics.median(values)
            predicted = statistics.median(self.predicted[key])
            yield key, measured, min(values), max(values), predicted, predicted / measured - 1


def shape(o):
    return ["--model", o.model, "--batch-size", o.batch_size, "--seq-len", o.seq_len]


def predictions(o, costs, *more):
    return json.loads(run(o.weft, "simulate", *shape(o), "--costs", costs, "--json", *more))["predictions"]


# ---- One process.


def one_process(o, directory):
    """The lines of the table of threads and executors."""
    series = Series()
    costs = directory / "costs.json"
    for round_ in range(o.rounds):
        progress(f"round {round_ + 1} of {o.rounds}")
        run(o.weft, "bench", "tasks", *shape(o), "--threads", o.threads, "--steps", o.steps, "--compare", "--costs", costs)
        for measured in json.loads(costs.read_text())["runs"]:
            for executor, cost in measured["executors"].items():
                if cost["step_ms"] == 0:
                    continue
                threads = measured["threads"]
                predicted = predictions(o, costs, "--cores", threads, "--exec", executor)[0]
                series.add((threads, executor), cost["step_ms"], predicted["step_ms"])
    yield "| threads | executor | measured, ms (least, most) | predicted, ms | error |"
    yield "|---|---|---|---|---|"
    for (threads, executor), measured, least, most, predicted, error in sorted(series.rows()):
        yield (f"| {threads} | `{executor}` | {measured:.1f} ({least:.1f}, {most:.1f}) | {predicted:.1f} "
               f"| {100 * error:+.1f} % |")


# ---- Ranks in the lab.


def lab_costs(o, ranks, directory):
    """What ops cost while as many processes compute; of one of them."""
    processes = [subprocess.Popen(
        [str(word) for word in (o.weft, "bench", "tasks", *shape(o), "--threads", o.threads, "--steps", o.steps,
                                "--costs", directory / f"costs{rank}.json")],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) for rank in range(ranks)]
    if any([process.wait() for process in processes]):
        sys.exit("costs could not be measured")
    return directory / "costs0.json"


def lab_network(o, hosts, bandwidth, directory):
    path = directory / "comm.json"
    path.write_text(run(o.lab, "--cpus-per-host", o.cpus_per_host, "--mpirun", o.mpirun, hosts, bandwidth, o.latency,
                        "--", o.weft, "bench", "comm", "--largest-mb", 4, "--json"))
    return path


def in_the_lab(o, directory):
    """The lines of the table of hosts, links, strategies and overlap."""
    steps, comm = Series(), Series()
    threads = o.threads
    for round_ in range(o.rounds):
        for hosts in o.hosts:
            train = strategies.parse([
                "--weft", str(o.weft), "--lab", str(o.lab), "--mpirun", o.mpirun, "--hosts", str(hosts),
                "--cpus-per-host", str(o.cpus_per_host), "--threads", str(threads), "--latency", o.latency,
                "--model", o.model, "--batch-size", str(o.batch_size), "--bucket-mb", str(o.bucket_mb),
                "--steps", str(o.steps), "--", "--seq-len", str(o.seq_len)])
            for bandwidth in o.bandwidths:
                progress(f"round {round_ + 1} of {o.rounds}: {hosts} hosts, {bandwidth}")
                costs = lab_costs(o, hosts, directory)
                network = lab_network(o, hosts, bandwidth, directory)
                for strategy in strategies.STRATEGIES:
                    for overlap in (True, False):
                        measured = strategies.medians(strategies.train(train, directory, bandwidth, strategy, overlap))
                        predicted = predictions(
                            o, costs, "--nodes", hosts, "--cores", threads, "--dist", strategy,
                            "--bucket-mb", o.bucket_mb, "--comm", network, "--root-transfers", "chain",
                            *([] if overlap else ["--no-overlap"]))[0]
                        key = (hosts, bandwidth, strategy, "yes" if overlap else "no")
                        steps.add(key, measured["step_ms"], predicted["step_ms"])
                        comm.add(key, measured["comm_ms"], predicted["comm_ms"])
    yield "| hosts | link | strategy | overlap | step: measured, predicted, ms | error | comm: measured, predicted, ms |"
    yield "|---|---|---|---|---|---|---|"
    for (key, measured, _, _, predicted, error), (_, sent, _, _, foreseen, _) in zip(steps.rows(), comm.rows()):
        hosts, bandwidth, strategy, overlap = key
        yield (f"| {hosts} | {bandwidth} | `{strategy}` | {overlap} | {measured:.0f}, {predicted:.0f} "
               f"| {100 * error:+.0f} % | {sent:.0f}, {foreseen:.0f} |")


def parse(arguments):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)

    def numbers(text):
        return [int(word) for word in text.split(",")]

    p.add_argument("--weft", type=Path, default=ROOT / "build" / "weft")
    p.add_argument("--model", default="L=4,NH=4,C=256,T=128,V=257")
    p.add_argument("--batch-size", type=int, default=4)
    p.add_argument("--seq-len", type=int, default=128)
    p.add_argument("--threads", type=int, help="1, 2, 4, .. and this many; in the lab this many of a rank [2; 1]")
    p.add_argument("--steps", type=int, default=12, help="of each measurement [12]")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--hosts", type=numbers, help="measure ranks in the lab: numbers of hosts, one rank each")
    p.add_argument("--bandwidths", type=lambda text: text.split(","), default=["200mbit", "1gbit"])
    p.add_argument("--latency", default="0")
    p.add_argument("--bucket-mb", type=float, default=1.)
    p.add_argument("--cpus-per-host", type=int, default=1)
    p.add_argument("--lab", type=Path, default=ROOT / "scripts" / "cluster_lab.sh")
    p.add_argument("--mpirun", default="mpirun")
    o = p.parse_args(arguments)
    o.threads = o.threads or (1 if o.hosts else 2)
    return o


def main(arguments):
    o = parse(arguments)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if o.hosts:
            run(o.weft, "stories", "--bytes", 1000000, "--seed", 1, "--out", directory / "text.txt")
            lines = in_the_lab(o, directory)
        else:
            lines = one_process(o, directory)
        try:
            table = list(lines)
        except strategies.Failed as failed:
            status, said = failed.args
            print(said, file=sys.stderr)
            return status
    print(f"{o.model}, {o.batch_size} x {o.seq_len} tokens, {o.rounds} rounds of {o.steps} steps\n")
    print("\n".join(table))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
