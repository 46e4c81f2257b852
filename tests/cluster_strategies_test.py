#!/usr/bin/env python3
"""Tests bench/cluster/strategies.py: what it runs, what it makes of the logs, and its table.

    tests/cluster_strategies_test.py [ROOT]

A stand-in takes the place of the lab and of weft.
"""

import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(sys.argv.pop(1) if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
SCRIPT = ROOT / "bench" / "cluster" / "strategies.py"
sys.path.insert(0, str(SCRIPT.parent))

import strategies  # noqa: E402

# As `lab ... -- weft train ...`: notes its arguments and logs a slow first step and four others.
FAKE_LAB = f"""\
#!{sys.executable}
import json, os, sys
from pathlib import Path
with open(os.environ["LOG"], "a") as log:
    print(*sys.argv[1:], file=log)
if os.environ.get("STATUS"):
    print("cluster_lab: skipped: no tc", file=sys.stderr)
    sys.exit(int(os.environ["STATUS"]))
out = Path(sys.argv[sys.argv.index("--out") + 1])
if out.exists():
    sys.exit("the run directory is left from the last run")
(out / "checkpoints").mkdir(parents=True)
slow = 2 if "--no-overlap" in sys.argv else 1
no_limit = sys.argv[8] == "0"
with open(out / "metrics.jsonl", "w") as log:
    print(json.dumps({{"kind": "run"}}), file=log)
    for step in range(1, 6):
        print(json.dumps({{"kind": "train", "step": step, "bytes_sent": 3_000_000,
                           "step_ms": 9e6 if step == 1 else 80 if no_limit else 100 * slow + step,
                           "comm_ms": 50 * slow, "hidden_comm_ms": 45 if slow == 1 else 0}}), file=log)
"""
FAKE_WEFT = f"#!{sys.executable}\nimport sys\nopen(sys.argv[sys.argv.index('--out') + 1], 'w')\n"


class Strategies(unittest.TestCase):
    def run_script(self, *arguments, **variables):
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            for program, text in (("lab", FAKE_LAB), ("weft", FAKE_WEFT)):
                (directory / program).write_text(text)
                (directory / program).chmod(0o755)
            done = subprocess.run(
                [sys.executable, str(SCRIPT), "--weft", str(directory / "weft"),
                 "--lab", str(directory / "lab"), "--json", str(directory / "json"), *arguments],
                capture_output=True, text=True,
                env={**os.environ, "LOG": str(directory / "log"), **variables})
            log = (directory / "log").read_text().splitlines()
            results = (json.loads((directory / "json").read_text())
                       if (directory / "json").exists() else None)
        return done, log, results

    def test_runs_every_combination_and_prints_medians_after_the_warmup(self):
        done, log, results = self.run_script(
            "--bandwidths", "50mbit,1gbit", "--strategies", "all-reduce,server", "--warmup", "1",
            "--steps", "4", "--", "--grad-clip", "0")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(log), 10)
        self.assertEqual(len(set(log)), 10)
        self.assertEqual(sum("--no-overlap" in line for line in log), 6)
        self.assertTrue(all("--steps 5 " in line and "--grad-clip 0" in line for line in log))
        self.assertIn("| 50mbit | `all-reduce` | 3.00 | 80 | 204 | 125 % | 104 | 81 % | 90 % |", done.stdout)
        self.assertIn("| 1gbit | `server` | 3.00 | 80 | 204 | 125 % | 104 | 81 % | 90 % |", done.stdout)
        self.assertEqual(len(results), 10)
        self.assertEqual(results[0]["step_ms"], 80)
        self.assertEqual(results[1]["step_ms"], 103.5)

    def test_passes_on_that_the_lab_cannot_run(self):
        done, _, results = self.run_script(STATUS="77")

        self.assertEqual(done.returncode, 77)
        self.assertIn("skipped: no tc", done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertIsNone(results)

    def test_refuses_an_unknown_strategy(self):
        done = subprocess.run([sys.executable, str(SCRIPT), "--strategies", "gossip"],
                              capture_output=True, text=True)

        self.assertEqual(done.returncode, 2)
        self.assertIn("gossip is none of all-reduce, sharded, server", done.stderr)

    def test_refuses_to_compare_links_without_a_limit_with_themselves(self):
        done = subprocess.run([sys.executable, str(SCRIPT), "--bandwidths", "50mbit,0"],
                              capture_output=True, text=True)

        self.assertEqual(done.returncode, 2)
        self.assertIn("are measured anyway", done.stderr)

    def test_hidden_share_is_of_all_communication(self):
        steps = [{"step_ms": 1, "comm_ms": 10, "hidden_comm_ms": 10, "bytes_sent": 1},
                 {"step_ms": 3, "comm_ms": 30, "hidden_comm_ms": 0, "bytes_sent": 1}]

        self.assertEqual(strategies.medians(steps)["hidden"], 0.25)
        silent = [{**step, "comm_ms": 0, "hidden_comm_ms": 0} for step in steps]
        self.assertIsNone(strategies.medians(silent)["hidden"])

    def test_gone_is_what_overlap_takes_off_the_step(self):
        no_limit, without = {"step_ms": 100}, {"step_ms": 150, "comm_ms": 60}

        self.assertEqual(strategies.added(without, no_limit), 0.6)
        self.assertEqual(strategies.gone({"step_ms": 110}, without, no_limit), 0.8)
        self.assertIsNone(strategies.gone({"step_ms": 110}, no_limit, no_limit))

    def test_can_be_executed(self):
        self.assertTrue(SCRIPT.stat().st_mode & stat.S_IXUSR)


if __name__ == "__main__":
    unittest.main(verbosity=1)
