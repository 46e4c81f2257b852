#!/usr/bin/env python3
"""Checks with the real TensorBoard that it shows the values of a run, killed and resumed or not.

    tests/tensorboard_test.py WEFT [ROOT]

Trains, kills and resumes a small model, and has tools/check_tensorboard.py compare. Skips (77) where
Python has no tensorboard (pip install tensorboard).
"""

import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STEPS = 200
KILL_AFTER = [25, 75]  # steps between two checkpoints
PATIENCE_S = 60


def command(weft, text, out):
    return [weft, "train", "--data", text, "--model", "L=1,NH=2,C=16,T=16", "--batch-size", "4",
            "--steps", str(STEPS), "--val-every", "10", "--sample-every", "50",
            "--checkpoint-every", "10", "--threads", "2", "--tensorboard", "--out", out, "--resume"]


def newest_logged_step(out):
    log = out / "metrics.jsonl"
    lines = log.read_text().splitlines(keepends=True) if log.exists() else []
    records = [json.loads(line) for line in lines if line.endswith("\n")]
    return max((record.get("step", 0) for record in records), default=0)


def kill_on_the_way(weft, text, out, step):
    """Kills a run that has logged the step; the next one then does some steps again. True if it did."""
    run = subprocess.Popen(command(weft, text, out), stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE_S
    while run.poll() is None and newest_logged_step(out) < step and time.monotonic() < deadline:
        time.sleep(0.001)
    run.kill()
    return run.wait() < 0


def tear(out):
    """What a power loss may leave of the newest event file: half a record."""
    newest = sorted(out.glob("events.out.tfevents.*"))[-1]
    with open(newest, "ab") as file:
        file.write(newest.read_bytes()[:17])


def check(root, out):
    done = subprocess.run([sys.executable, root / "tools" / "check_tensorboard.py", out],
                          capture_output=True, encoding="utf-8")
    print(done.stdout, done.stderr, sep="")
    return done.returncode == 0


def spoil(out):
    """Another loss than the event files have."""
    log = out / "metrics.jsonl"
    lines = log.read_text().splitlines()
    index = next(i for i, line in enumerate(lines) if '"train"' in line)
    record = json.loads(lines[index])
    record["loss"] *= 1.001
    lines[index] = json.dumps(record)
    log.write_text("\n".join(lines) + "\n")


def main():
    weft = Path(sys.argv[1]).resolve()
    root = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent.parent).resolve()
    if importlib.util.find_spec("tensorboard") is None:
        print("skipped: no tensorboard for this Python (pip install tensorboard)")
        return 77
    failed = []
    with tempfile.TemporaryDirectory() as directory:
        text = Path(directory, "text.txt")
        text.write_text("".join(f"Over {i % 7}, under {i % 11}, and back.\n" for i in range(200)))
        out = Path(directory, "run")
        for step in KILL_AFTER:
            if not kill_on_the_way(weft, text, out, step):
                failed.append(f"a kill after step {step}")
            tear(out)
        subprocess.run(command(weft, text, out), check=True, capture_output=True)
        if len(list(out.glob("events.out.tfevents.*"))) != len(KILL_AFTER) + 1:
            failed.append("a file for each part of the run")
        if not check(root, out):
            failed.append("TensorBoard shows the values of the log")
        spoil(out)
        if check(root, out):
            failed.append("the check finds a value that differs")
    print("\n".join(f"FAILED {what}" for what in failed) or "all in order")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
