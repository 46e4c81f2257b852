#!/usr/bin/env python3
"""Kills training runs with SIGKILL at random moments, resumes them, and compares what they leave.

    tools/crash_campaign.py build/weft --kills 500

Each run is killed and resumed, with another executor and number of threads every time, until it
ends. After every kill, each checkpoint under a good name must be whole; after every run, the final
weights, moments and logged losses must equal those of a run that nobody disturbed, bit by bit, and
nothing else may lie around. The exit status is the verdict. Needs Python 3 only.
"""

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

STEPS = 150
LONGEST_S = 1.2  # a run takes about three times as long
EXECUTORS = [("sequential", 1), ("fork-join", 2), ("tasks", 2), ("tasks", 3)]


class Failed(Exception):
    pass


class Campaign:
    def __init__(self, weft, directory, seed):
        self.weft = weft
        self.directory = directory
        self.random = random.Random(seed)
        self.text = directory / "text.txt"
        self.text.write_text("".join(f"Over {i % 7}, under {i % 11}, and back.\n" for i in range(400)))
        self.found = Counter()

    def command(self, out, executor, threads):
        return [self.weft, "train", "--data", self.text, "--model", "L=2,NH=2,C=32,T=32",
                "--batch-size", "4", "--steps", str(STEPS), "--lr", "1e-3", "--val-every", "7",
                "--checkpoint-every", "1", "--keep", "2", "--exec", executor,
                "--threads", str(threads), "--out", out, "--resume"]

    def undisturbed(self):
        out = self.directory / "undisturbed"
        subprocess.run(self.command(out, "sequential", 1), check=True, capture_output=True)
        self.expected = self.result(out)

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
        executor, threads = self.random.choice(EXECUTORS)
        had_checkpoint = any((out / "checkpoints").glob("step_*"))
        run = subprocess.Popen(self.command(out, executor, threads), stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
        try:
            _, errors = run.communicate(timeout=self.random.uniform(0.0, LONGEST_S))
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGKILL)
            _, errors = run.communicate()
        if "skipped" in errors:
            raise Failed(f"an unreadable checkpoint: {errors}")
        if run.returncode not in (0, -signal.SIGKILL):
            raise Failed(f"exit status {run.returncode}: {errors}")
        started = "step " in errors
        if had_checkpoint and started and "resumed from" not in errors:
            raise Failed(f"a run with a checkpoint started afresh: {errors}")
        return run.returncode == 0

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
        subprocess.run(self.command(out, "tasks", 2), check=True, capture_output=True)
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
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="weft_crash_") as directory:
        campaign = Campaign(arguments.weft.resolve(), Path(directory), arguments.seed)
        campaign.undisturbed()
        try:
            campaign.kill(arguments.kills)
        except Failed as failure:
            print(f"FAILED (seed {arguments.seed}): {failure}")
            return 1
    print(f"{arguments.kills} kills, {arguments.kills} resumes")
    for what, times in sorted(campaign.found.items()):
        print(f"  {times:6} {what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
