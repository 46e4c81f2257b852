#!/usr/bin/env python3
"""Tests bench/by_turns.py: who runs when, what it makes of it, and what it leaves behind.

    tests/by_turns_test.py [ROOT]

A stand-in takes the place of weft, and another of the launcher.
"""

import re
import stat
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(sys.argv.pop(1) if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
SCRIPT = ROOT / "bench" / "by_turns.py"
sys.path.insert(0, str(SCRIPT.parent))

import by_turns  # noqa: E402

# weft --ms CPU_TIME_OF_A_STEP --steps N --out DIR: a step is work, which takes no time while it is stopped.
FAKE_WEFT = f"""\
#!{sys.executable}
import json, os, sys, time
from pathlib import Path
flag = lambda name: sys.argv[sys.argv.index(name) + 1]
out = Path(flag("--out"))
out.mkdir()
(out / "pid").write_text(str(os.getpid()))
with open(out / "metrics.jsonl", "w", buffering=1, encoding="utf-8") as log:
    print(json.dumps({{"kind": "run", "tokens_per_step": 100}}), file=log)
    for step in range(int(flag("--steps"))):
        end = time.process_time() + float(flag("--ms")) / 1000
        while time.process_time() < end:
            pass
        print(json.dumps({{"kind": "train", "step": step + 1}}), file=log)
        print(json.dumps({{"kind": "sample", "text": "été"}}, ensure_ascii=False), file=log)
"""
FAKE_LAUNCHER = f"#!{sys.executable}\nimport subprocess, sys\nsys.exit(subprocess.run(sys.argv[1:]).returncode)\n"


class ByTurns(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="weft_by_turns_")
        self.addCleanup(temporary.cleanup)
        self.directory = Path(temporary.name)
        for program, text in (("weft", FAKE_WEFT), ("launcher", FAKE_LAUNCHER)):
            (self.directory / program).write_text(text)
            (self.directory / program).chmod(0o755)

    def command(self, name, ms, steps=10_000):
        return f"{self.directory}/weft --ms {ms} --steps {steps} --out {self.directory}/{name}"

    def compare(self, *arguments):
        return subprocess.run([sys.executable, str(SCRIPT), *map(str, arguments)], capture_output=True, text=True,
                              timeout=120)

    def steps_of(self, name):
        return (self.directory / name / "metrics.jsonl").read_text().count('"train"')

    def is_gone(self, name):
        status = Path("/proc") / (self.directory / name / "pid").read_text() / "status"
        deadline = time.monotonic() + 10
        while status.exists() and "zombie" not in status.read_text() and time.monotonic() < deadline:
            time.sleep(0.01)
        return not status.exists() or "zombie" in status.read_text()

    def test_lets_one_run_at_a_time_and_compares_their_steps(self):
        done = self.compare("--steps", 8, "--warmup", 2, f"quick={self.command('quick', 20)}",
                            f"slow={self.directory}/launcher {self.command('slow', 200)}")

        self.assertEqual(done.returncode, 0, done.stderr)
        rows = re.findall(r"^\| (\w+) \| ([\d.]+) \| [\d.]+ \| [\d.]+ \| \d+ \| ([\d.]+) %", done.stdout, re.M)
        self.assertEqual([name for name, _, _ in rows], ["quick", "slow"], done.stdout)
        self.assertEqual(float(rows[0][2]), 100)
        # A tenth on an idle machine; other processes cannot raise it that far.
        self.assertLess(float(rows[1][2]), 70)
        self.assertGreater(float(rows[1][1]), 0.04)
        for name in ("quick", "slow"):
            self.assertGreaterEqual(self.steps_of(name), 10)
            self.assertTrue(self.is_gone(name), name)
        # If it were not stopped, it would make ten steps while slow makes one.
        self.assertLess(self.steps_of("quick"), 22)
        self.assertIn("round 8 of 8: quick", done.stderr)

    def test_says_which_run_ended_too_soon(self):
        done = self.compare("--steps", 8, f"long={self.command('long', 5)}", f"short={self.command('short', 5, 4)}")

        self.assertEqual(done.returncode, 1)
        self.assertIn("short has ended with status 0: give it more --steps", done.stderr)
        self.assertTrue(self.is_gone("long"))

    def test_refuses_what_it_cannot_compare(self):
        for arguments, message in (([f"a={self.command('a', 1)}"], "give two runs or more"),
                                   (["a=true", "b=true"], "has no --out"),
                                   (["weft", "b=true"], "'weft' is no NAME=COMMAND"),
                                   (["--steps", 1, "a=true", "b=true"], "must be 2 at least")):
            done = self.compare(*arguments)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(message, done.stderr)
        (self.directory / "a").mkdir()
        done = self.compare(f"a={self.command('a', 1)}", f"b={self.command('b', 1)}")
        self.assertIn("is there already", done.stderr)

    def test_ratios_are_of_tokens_in_the_same_round(self):
        runs = [by_turns.Run(name, f"weft --out {self.directory}/{name}") for name in "ab"]
        runs[0].tokens, runs[0].seconds = 100, [1., 2., 4., 8.]
        runs[1].tokens, runs[1].seconds = 200, [2., 4., 8., 32.]

        row = list(by_turns.table(runs))[-1]

        self.assertEqual(row, "| b | 6.00 | 2.00 | 32.00 | 33 | 100.0 % | 87.5 to 100.0 % |")

    def test_can_be_executed(self):
        self.assertTrue(SCRIPT.stat().st_mode & stat.S_IXUSR)


if __name__ == "__main__":
    unittest.main(verbosity=1)
