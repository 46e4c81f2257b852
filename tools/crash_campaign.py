#!/usr/bin/env python3
"""Kills training runs with SIGKILL at random moments, resumes them, and compares what they leave.

    tools/crash_campaign.py build/weft --kills 500
    tools/crash_campaign.py build/weft --kills 100 --ranks 4 --launcher mpirun

With ranks, a random one of them is killed, and the run continues on another number of ranks with
another strategy. Each run is killed and resumed, with another executor and number of threads every time, until it
ends. After every kill, each checkpoint under a good name must be whole; after every run, the final
weights, moments and logged losses must equal those of a run that nobody disturbed, bit by bit, and
nothing else may lie around. The exit status is the verdict. Needs Python 3 only.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

STEPS = 150
LONGEST_S = 1.2  # a run takes about three times as long
LONGEST_ON_RANKS_S = 6.0  # to start ranks takes a second or two
EXECUTORS = [("sequential", 1), ("fork-join", 2), ("tasks", 2), ("tasks", 3)]
STRATEGIES = ["all-reduce", "sharded", "server"]
END_S = 30  # after which no rank may be left
# Ranks that share cores: Open MPI must be told so, and threads that spin would starve them.
ENVIRONMENT = dict(os.environ,
                   OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_hwloc_base_binding_policy="none",
                   OMP_WAIT_POLICY="passive")


class Failed(Exception):
    pass


class Campaign:
    def __init__(self, weft, directory, seed, ranks=1, launcher=None):
        self.weft = weft
        self.ranks = ranks
        self.launcher = launcher
        self.directory = directory
        self.random = random.Random(seed)
        self.text = directory / "text.txt"
        self.text.write_text("".join(f"Over {i % 7}, under {i % 11}, and back.\n" for i in range(400)))
        self.found = Counter()
        self.longest_end_s = 0.0

    def command(self, out, executor, threads, ranks=1, dist="all-reduce"):
        # Four sequences a step, or twelve micro-batches of one, which 1, 2, 3 and 4 ranks share.
        batch = ["4"] if self.ranks == 1 else ["1", "--total-batch-tokens", str(12 * 32),
                                               "--reproducible", "--dist", dist]
        launch = [] if self.ranks == 1 else [self.launcher, "-np", str(ranks)]
        return [*launch, self.weft, "train", "--data", self.text, "--model", "L=2,NH=2,C=32,T=32",
                "--batch-size", *batch, "--steps", str(STEPS), "--lr", "1e-3", "--val-every", "7",
                "--checkpoint-every", "1", "--keep", "2", "--exec", executor,
                "--threads", str(threads), "--out", out, "--resume"]

    def random_command(self, out):
        executor, threads = self.random.choice(EXECUTORS)
        if self.ranks == 1:
            return self.command(out, executor, threads)
        return self.command(out, executor, 1, self.random.randint(1, self.ranks),
                            self.random.choice(STRATEGIES))

    def run_to_end(self, command):
        subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)

    def undisturbed(self):
        out = self.directory / "undisturbed"
        self.run_to_end(self.command(out, "sequential", 1))
        self.expected = self.result(out)

    def ranks_of(self, out):
        """The processes of the run but its launcher, by what they were started with."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                arguments = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if arguments[0] == str(self.weft).encode() and str(out).encode() in arguments:
                found.append(int(entry.name))
        return sorted(found)

    def kill_one(self, run, out):
        """Kills the run, or a random rank of it: then the others must end by themselves."""
        if self.ranks == 1:
            run.send_signal(signal.SIGKILL)
            return
        ranks = self.ranks_of(out)
        if not ranks:  # it is starting or ending
            self.found["killed before or after its ranks were there"] += 1
            run.send_signal(signal.SIGKILL)
            return
        begin = time.monotonic()
        os.kill(self.random.choice(ranks), signal.SIGKILL)
        self.found["ranks killed"] += 1
        try:
            run.wait(END_S)
        except subprocess.TimeoutExpired:
            raise Failed(f"ranks are left {END_S} s after one was killed") from None
        self.longest_end_s = max(self.longest_end_s, time.monotonic() - begin)

    def result(self, out):
        """The files and numbers that must not depend on what happened on the way."""
        last = out / "checkpoints" / f"step_{STEPS:08}"
        files = {name: (last / name).read_bytes()
                 for name in ("model.safetensors", "optimizer.safetensors", "config.json")}
        records = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        numbers = [(r["kind"], r["step"], r["loss"]) for r in records if r["kind"] in ("train", "val")]
        names = {p.name for p in out.iterdir()}, {p.name for p in (out / "checkpoints").iterdir()}
        return files, numbers, names

    def run_and_kill(self, out):
        """True if the run ended before it was killed."""
        had_checkpoint = any((out / "checkpoints").glob("step_*"))
        longest_s = LONGEST_S if self.ranks == 1 else LONGEST_ON_RANKS_S
        killed = False
        with open(self.directory / "errors.txt", "w+") as log:
            run = subprocess.Popen(self.random_command(out), stdout=subprocess.DEVNULL, stderr=log,
                                   env=ENVIRONMENT)
            try:
                run.wait(self.random.uniform(0.0, longest_s))
            except subprocess.TimeoutExpired:
                killed = True
                self.kill_one(run, out)
                run.wait()
            log.seek(0)
            errors = log.read()
        self.wait_for_ranks_to_end(out)
        if "skipped" in errors:
            raise Failed(f"an unreadable checkpoint: {errors}")
        if not killed and run.returncode != 0:
            raise Failed(f"exit status {run.returncode}: {errors}")
        started = "step " in errors
        if had_checkpoint and started and "resumed from" not in errors:
            raise Failed(f"a run with a checkpoint started afresh: {errors}")
        return run.returncode == 0

    def wait_for_ranks_to_end(self, out):
        deadline = time.monotonic() + END_S
        while self.ranks > 1 and self.ranks_of(out):
            if time.monotonic() > deadline:
                raise Failed(f"ranks are left {END_S} s after their launcher ended")
            time.sleep(0.05)

    def check_checkpoints(self, out):
        checkpoints = out / "checkpoints"
        names = sorted(p.name for p in checkpoints.iterdir()) if checkpoints.exists() else []
        for name in names:
            if name.startswith("."):
                self.found["killed while a checkpoint was written or removed"] += 1
                continue
            whole = subprocess.run([self.weft, "inspect", checkpoints / name], capture_output=True,
                                   text=True)
            if whole.returncode != 0:
                raise Failed(f"{name}: {whole.stderr}")
            self.found["checkpoints found whole"] += 1
        if not any(not name.startswith(".") for name in names):
            self.found["killed before the first checkpoint"] += 1

    def kill(self, kills):
        done = 0
        out = self.directory / "run"
        while done < kills:
            if self.run_and_kill(out):
                self.compare(out)
                shutil.rmtree(out)
                continue
            done += 1
            self.check_checkpoints(out)
            if done % 25 == 0:
                print(f"{done} of {kills} kills", file=sys.stderr)
        self.run_to_end(self.command(out, "tasks", 2, self.ranks))
        self.compare(out)

    def compare(self, out):
        files, numbers, names = self.result(out)
        expected_files, expected_numbers, expected_names = self.expected
        for name, content in files.items():
            if content != expected_files[name]:
                raise Failed(f"{name} differs from the undisturbed run's")
        if numbers != expected_numbers:
            raise Failed("the logged losses differ from the undisturbed run's")
        if names != expected_names:
            raise Failed(f"left behind: {names}, undisturbed: {expected_names}")
        self.found["runs that ended with the undisturbed run's bits"] += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weft", type=Path, help="the program, for example build/weft")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ranks", type=int, default=1, help="at most so many, with --launcher")
    parser.add_argument("--launcher", default="mpirun")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="weft_crash_") as directory:
        campaign = Campaign(arguments.weft.resolve(), Path(directory), arguments.seed,
                            arguments.ranks, arguments.launcher)
        campaign.undisturbed()
        try:
            campaign.kill(arguments.kills)
        except Failed as failure:
            print(f"FAILED (seed {arguments.seed}): {failure}")
            return 1
    print(f"{arguments.kills} kills, {arguments.kills} resumes")
    if arguments.ranks > 1:
        print(f"  {campaign.longest_end_s:6.1f} s at most until all ranks had ended")
    for what, times in sorted(campaign.found.items()):
        print(f"  {times:6} {what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
