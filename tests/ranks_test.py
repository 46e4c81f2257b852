#!/usr/bin/env python3
"""Trains on several ranks of one machine and checks what they leave, and how they end.

    tests/ranks_test.py build/weft mpirun.openmpi [TEST...]

A test is a method name of the class below, as `RanksTest.test_...`; all run if none is named.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

WEFT = LAUNCHER = None

# Open MPI refuses to start as root, and more ranks than cores; it binds each rank to a core. OpenMP
# threads that spin would starve ranks that share their core.
ENVIRONMENT = dict(os.environ,
                   OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_hwloc_base_binding_policy="none",
                   OMP_WAIT_POLICY="passive")
STEPS = 5
SEQUENCES = 12  # of a step: shared out over 1, 2, 3 and 4 ranks
T = 32
LONGEST_S = 120


class RanksTest(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="weft_ranks_")
        self.addCleanup(self.temporary.cleanup)
        self.directory = Path(self.temporary.name)
        self.text = self.directory / "text.txt"
        self.text.write_text("".join(f"Over {i % 7}, under {i % 11}, and back.\n" for i in range(400)))

    def flags(self, name, *more, steps=STEPS, model=f"L=2,NH=2,C=32,T={T}"):
        return ["train", "--data", self.text, "--model", model, "--batch-size", "1",
                "--total-batch-tokens", str(SEQUENCES * T), "--steps", str(steps), "--lr", "1e-3",
                "--threads", "1", "--bucket-mb", "0.02", "--out", self.directory / name,
                *map(str, more)]

    def command(self, ranks, *arguments):
        launched = [LAUNCHER, "-np", str(ranks)] if ranks > 0 else []
        return [*launched, WEFT, *arguments]

    def run_ranks(self, ranks, *arguments):
        return subprocess.run(self.command(ranks, *arguments), env=ENVIRONMENT, capture_output=True,
                              text=True, timeout=LONGEST_S)

    def train(self, ranks, name, *more, **keywords):
        result = self.run_ranks(ranks, *self.flags(name, *more, **keywords))
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def start(self, ranks, *arguments):
        """In the background; its progress is in `.log`, which the ranks share."""
        log = open(self.directory / "log.txt", "w+")
        self.addCleanup(log.close)
        run = subprocess.Popen(self.command(ranks, *arguments), env=ENVIRONMENT, stderr=log,
                               stdout=subprocess.DEVNULL, text=True)
        self.addCleanup(lambda: run.poll() is None and run.kill())
        run.log = self.directory / "log.txt"
        return run

    def wait_for_step(self, run, out, step):
        metrics = self.directory / out / "metrics.jsonl"
        deadline = time.monotonic() + LONGEST_S
        while not (metrics.exists() and f'"step":{step},' in metrics.read_text()):
            self.assertIsNone(run.poll(), run.log.read_text())
            self.assertLess(time.monotonic(), deadline, "the run does not get on")
            time.sleep(0.01)

    def processes_of(self, out):
        """The ranks of the run, by what they were started with; the launcher is none of them."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                arguments = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            is_rank = arguments[0] == str(WEFT).encode()
            if is_rank and str(self.directory / out).encode() in arguments:
                found.append(int(entry.name))
        return sorted(found)

    def rank_process(self, out, rank):
        for process in self.processes_of(out):
            variables = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
            for name in ("OMPI_COMM_WORLD_RANK", "PMI_RANK"):
                if f"{name}={rank}".encode() in variables:
                    return process
        self.fail(f"there is no rank {rank}")

    def result(self, name, steps=STEPS):
        """What must not depend on the ranks: the files of the last checkpoint, and the losses."""
        out = self.directory / name
        last = out / "checkpoints" / f"step_{steps:08}"
        files = {file: (last / file).read_bytes()
                 for file in ("model.safetensors", "optimizer.safetensors", "config.json")}
        return files, [(r["kind"], r["step"], r["loss"], r.get("grad_norm"))
                       for r in self.records(name) if r["kind"] in ("train", "val")]

    def records(self, name):
        lines = (self.directory / name / "metrics.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def errors(self, text):
        return [line for line in text.splitlines() if "weft: error:" in line]

    # ---- What they leave.

    def test_reproducible_runs_leave_the_same_bytes_on_any_number_of_ranks(self):
        common = ["--reproducible", "--val-every", 2]
        self.train(0, "alone", *common)
        expected = self.result("alone")
        for dist in ("all-reduce", "sharded", "server"):
            for ranks in (1, 2, 3, 4):
                executor = ("tasks", "fork-join", "sequential", "omp-tasks")[ranks - 1]
                name = f"{dist}{ranks}"
                self.train(ranks, name, *common, "--dist", dist, "--exec", executor)
                self.assertEqual(self.result(name), expected, name)
        self.train(4, "dedicated", *common, "--dist", "server", "--dedicated-server",
                   "--no-overlap")
        self.assertEqual(self.result("dedicated"), expected)

    def test_the_librarys_sums_stay_close_to_one_ranks(self):
        self.train(0, "alone")
        _, expected = self.result("alone")
        for dist in ("all-reduce", "sharded", "server"):
            for more in ([], ["--no-overlap"]):
                name = dist + "".join(more)
                self.train(3, name, "--dist", dist, *more)
                for step in self.records(name):
                    if step["kind"] == "train":  # all of a step's transfers are in its time
                        self.assertLessEqual(step["comm_ms"], step["step_ms"], name)
                _, numbers = self.result(name)
                for (_, step, loss, norm), (_, _, loss1, norm1) in zip(numbers, expected):
                    # fp32 sums of twelve gradients in another order: 1e-6 a step, amplified by AdamW.
                    self.assertAlmostEqual(loss / loss1, 1, delta=2e-4, msg=f"{name} step {step}")
                    if norm is not None:
                        self.assertAlmostEqual(norm / norm1, 1, delta=2e-4, msg=f"{name} step {step}")

    def test_one_rank_writes_and_reports(self):
        result = self.train(3, "run")
        self.assertEqual(len(re.findall("done after step", result.stderr)), 1, result.stderr)
        self.assertEqual(len(result.stdout.splitlines()), 1, result.stdout)
        run = self.records("run")
        self.assertEqual(run[0]["ranks"], 3)
        steps = [r for r in run if r["kind"] == "train"]
        self.assertEqual(len(steps), STEPS)
        for step in steps:
            self.assertGreater(step["bytes_sent"], 0)
            self.assertGreater(step["comm_ms"], 0)
            self.assertLessEqual(step["hidden_comm_ms"], step["comm_ms"])

    def test_a_trace_has_all_ranks_in_one_time(self):
        trace = self.directory / "trace.json"
        self.train(3, "run", "--trace", trace, "--trace-steps", "2:3")
        slices = [e for e in json.loads(trace.read_text())["traceEvents"] if e["ph"] == "X"]
        programs = {(e["pid"], e["args"]["step"], e["name"]): e for e in slices
                    if e["cat"] == "program"}
        self.assertEqual({process for process, _, _ in programs}, {1, 2, 3})
        for rank in (1, 2, 3):
            # A rank is in the same step as the others: a step ends when all have summed their losses.
            step2, step3 = programs[rank, 2, "step/last"], programs[1, 3, "step/first"]
            self.assertLess(step2["ts"], step3["ts"])
            sums = [e for e in slices if e["pid"] == rank and e["name"] == "exchange0/sum"]
            self.assertEqual(len(sums), 2)

    def test_a_run_continues_on_other_ranks_with_another_strategy(self):
        steps = 40
        self.train(0, "alone", "--reproducible", steps=steps)
        flags = self.flags("run", "--reproducible", "--dist", "sharded", steps=steps)
        run = self.start(3, *flags)
        self.wait_for_step(run, "run", 3)
        os.kill(self.processes_of("run")[1], signal.SIGUSR1)
        self.assertEqual(run.wait(LONGEST_S), 143, run.log.read_text())
        self.assertIn("continue with", run.log.read_text())

        self.train(2, "run", "--reproducible", "--resume", "--dist", "server", steps=steps)
        self.assertEqual(self.result("run", steps), self.result("alone", steps))

    # What AdamW keeps of 6.5 million parameters, next to all else that a rank holds.
    def test_sharded_keeps_a_quarter_of_the_moments_on_each_of_four_ranks(self):
        model = "L=2,NH=4,C=512,T=32"
        resident = {}
        for dist in ("all-reduce", "sharded"):
            run = self.start(4, *self.flags(dist, "--dist", dist, steps=1000, model=model))
            self.wait_for_step(run, dist, 2)
            status = Path(f"/proc/{self.rank_process(dist, 1)}/status").read_text()
            resident[dist] = int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024
            os.kill(self.processes_of(dist)[0], signal.SIGKILL)
            run.wait(30)
        parameters = self.records("sharded")[0]["parameters"]
        saved = resident["all-reduce"] - resident["sharded"]
        # Three quarters of two moments, less the quarter of the gradients that a rank receives.
        # More may be saved: an all-reduce takes buffers of the library's own as well.
        expected = 4 * parameters * (2 * 3 / 4 - 1 / 4)
        self.assertGreater(saved, 0.85 * expected)

    # ---- How they end.

    def test_a_rank_that_is_killed_ends_the_run_and_costs_nothing_saved(self):
        steps = 400
        common = ["--reproducible", "--checkpoint-every", 1]
        run = self.start(3, *self.flags("run", *common, steps=steps))
        self.wait_for_step(run, "run", 4)
        os.kill(self.processes_of("run")[2], signal.SIGKILL)
        self.assertNotEqual(run.wait(LONGEST_S), 0)
        self.assertEqual(self.processes_of("run"), [])
        self.assertTrue(list((self.directory / "run" / "checkpoints").glob("step_*")))

    def test_settings_that_differ_are_named_with_their_ranks(self):
        one, other = self.flags("run"), self.flags("run")
        other[other.index("--lr") + 1] = "0.5"
        result = subprocess.run([LAUNCHER, "-np", "1", WEFT, *one, ":", "-np", "1", WEFT, *other],
                                env=ENVIRONMENT, capture_output=True, text=True, timeout=LONGEST_S)
        self.assertEqual(result.returncode, 2, result.stderr)
        errors = self.errors(result.stderr)
        self.assertEqual(len(errors), 1, result.stderr)
        self.assertRegex(errors[0], r"--lr is 1e-3 on rank 0 on \S+ and 0.5 on rank 1 on")
        self.assertFalse((self.directory / "run").exists())

    def test_data_that_differ_are_named(self):
        other_text = self.directory / "other.txt"
        other_text.write_text(self.text.read_text()[::-1])
        link = self.directory / "data.txt"
        one = self.flags("run")
        one[one.index("--data") + 1] = link
        # Each rank finds another file under the name, as on hosts whose copies differ.
        script = (f'ln -sfn "$1" {link}.$$; shift; exec {WEFT} train --data {link}.$$ "$@"')
        rest = [str(a) for a in one[3:]]
        result = subprocess.run(
            [LAUNCHER, "-np", "1", "sh", "-c", script, "sh", self.text, *rest, ":",
             "-np", "1", "sh", "-c", script, "sh", other_text, *rest],
            env=ENVIRONMENT, capture_output=True, text=True, timeout=LONGEST_S)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(len(self.errors(result.stderr)), 1, result.stderr)

    def test_a_mistake_of_all_ranks_is_told_once(self):
        result = self.run_ranks(3, *self.flags("run", "--exec", "nonsense"))
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(len(self.errors(result.stderr)), 1, result.stderr)

    def test_a_loss_that_is_not_finite_ends_all_ranks_with_one_message(self):
        flags = self.flags("run", "--schedule", "constant", steps=30)
        flags[flags.index("--lr") + 1] = "1e5"
        flags += ["--grad-clip", "0"]
        result = self.run_ranks(3, *flags)
        self.assertEqual(result.returncode, 1, result.stderr)
        errors = self.errors(result.stderr)
        self.assertEqual(len(errors), 1, result.stderr)
        self.assertIn("are not saved", errors[0])

    def test_ranks_that_cannot_be_shared_out_are_refused(self):
        result = self.run_ranks(5, *self.flags("run"))
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("seq-len x ranks = 1 x 32 x 5", result.stderr)


if __name__ == "__main__":
    WEFT, LAUNCHER = Path(sys.argv[1]).resolve(), sys.argv[2]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
