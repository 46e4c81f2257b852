#!/usr/bin/env python3
"""Tests bench/compare/compare.py: what it reads from each program, its figures and its tables.

    tests/compare_test.py [ROOT]      of this repository, if ROOT is not given

Stand-ins print what weft, PyTorch and llm.c print; none of them is needed.
"""

import json
import os
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
from pathlib import Path

ROOT = Path(sys.argv.pop(1) if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
COMPARE = ROOT / "bench" / "compare"
sys.path.insert(0, str(COMPARE))

import programs  # noqa: E402
import summary  # noqa: E402
from programs import LeftOut, LlmC, PyTorch, Run, Weft, Workload  # noqa: E402

LLMC_LINES = """\
[GPT-2]
num_parameters: 124475904
train dataset num_batches: 7
val loss 5.325529
step 0: train loss 4.677670 (took 1987.546000 ms)
step 1: train loss 5.191576 (took 1927.250000 ms)
generating:
---
step by step 2: train
---
step 2: train loss 4.438685 (took 1900.500000 ms)
""".splitlines()

METRICS = """\
{"kind":"run","model":"L=12,NH=12,C=768,T=1024,V=50257","parameters":124475904}
{"kind":"train","step":1,"loss":10.9,"step_ms":900.5,"tokens_per_s":284.3}
{"kind":"val","step":1,"loss":10.9}
{"kind":"train","step":2,"loss":10.8,"step_ms":801.5,"tokens_per_s":319.4}
{"kind":"train","step":3,"loss":10.7,"step_ms":799.25,"tokens_per_s":320.3}
"""

FAKE_DOCTOR = {
    "version": "0.1.0", "commit": "abc", "cpu": "A CPU", "cores": 2, "usable_cpus": 2, "threads": 2,
    "vector_units": ["AVX2"], "memory_bytes": 16e9, "peak_fp32": 480e9, "peak_bf16": None,
    "bandwidth": 50e9, "gemm": "libxsmm", "openmp": "libgomp",
    "warnings": [{"what": "a load of 0.6", "hint": "stop it"}]}

FAKE_WEFT = f"""\
#!{sys.executable}
import json, os, sys, time
if sys.argv[1] == "doctor":
    print('''{json.dumps(FAKE_DOCTOR)}''')
    sys.exit()
option = dict(zip(sys.argv[2::2], sys.argv[3::2]))
if option["--seq-len"] == "1":
    with open(sys.argv[0] + ".pid", "w") as pid:
        print(os.getpid(), file=pid)
    time.sleep(600)
if option.get("--precision") == "bf16":
    sys.exit("weft: error: [train] --precision: 'bf16' is not supported")
assert os.path.getsize(option["--data"]) == 1024 + 2 * (5 * 2 * 64 + 1)
os.makedirs(option["--out"])
with open(option["--out"] + "/metrics.jsonl", "w") as metrics:
    for step in range(1, int(option["--steps"]) + 1):
        print(json.dumps(dict(kind="train", step=step, step_ms=400.0)), file=metrics)
"""


def write_program(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return path


class TemporaryDirectoryTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)


class Parsing(unittest.TestCase):
    def test_steps_of_wefts_metrics_count_after_the_warm_up(self):
        self.assertEqual(programs.weft_step_ms(METRICS, warmup=1), [801.5, 799.25])

    def test_steps_of_llmc_are_told_from_its_samples(self):
        self.assertEqual(programs.llmc_step_ms(LLMC_LINES), [1987.546, 1927.25, 1900.5])

    def test_llmc_built_for_another_length_is_left_out(self):
        programs.require_shape(LLMC_LINES, tokens=7 * 256 + 255, load=Workload(4, 64, 2, 1, 1))
        with self.assertRaisesRegex(LeftOut, "built for another B or T.*num_batches: 1'"):
            programs.require_shape(LLMC_LINES, 7 * 256 + 255, Workload(4, 256, 2, 1, 1))

    def test_the_reason_of_a_failure_is_its_last_exception(self):
        errors = "Traceback:\n  File x\ntorch._inductor.exc.InductorError: no g++\n\nSet FLAG=1\n"

        self.assertEqual(programs.last_error(errors), "torch._inductor.exc.InductorError: no g++")
        self.assertEqual(programs.last_error("weft: error: no\n"), "weft: error: no")
        self.assertEqual(programs.last_error(""), "it said nothing")


class Executing(TemporaryDirectoryTest):
    def test_a_failure_is_a_reason(self):
        with self.assertRaisesRegex(LeftOut, "^status 3: it broke$"):
            programs.execute(["sh", "-c", "echo it broke >&2; exit 3"])
        with self.assertRaisesRegex(LeftOut, "^killed by SIGKILL: it said nothing$"):
            programs.execute(["sh", "-c", "kill -9 $$"])
        with self.assertRaisesRegex(LeftOut, "^cannot start no/such: No such file"):
            programs.execute(["no/such"])

    def test_peak_memory_is_that_of_the_program(self):
        _, small = programs.execute([sys.executable, "-c", "pass"])
        _, large = programs.execute([sys.executable, "-c", "b'x' * 200_000_000"])

        # Python itself varies by some pages between runs.
        self.assertAlmostEqual(large - small, 200e6, delta=10e6)

    def test_llmc_is_stopped_after_its_last_step(self):
        lines = "\n".join(LLMC_LINES[:6])
        write_program(self.directory / "train_gpt2", f"#!/bin/sh\ncat <<'END'\n{lines}\nEND\n"
                                                     "exec sleep 600\n")
        shard = self.directory / "dev/data/tinyshakespeare/tiny_shakespeare_train.bin"
        shard.parent.mkdir(parents=True)
        programs.write_random_tokens(shard, 7 * 256 + 1)
        start = time.monotonic()

        run = LlmC(self.directory, steps=1).run(Workload(4, 64, 2, 3, 10))

        self.assertEqual(run.step_ms, [1927.25])
        self.assertLess(time.monotonic() - start, 300)

    def test_llmc_that_is_not_there_is_left_out(self):
        with self.assertRaisesRegex(LeftOut, "no --llmc DIR"):
            LlmC(None, 3).run(Workload(4, 64, 2, 3, 10))
        with self.assertRaisesRegex(LeftOut, "there is no train_gpt2_T256"):
            LlmC(self.directory, 3).run(Workload(4, 256, 2, 3, 10))

    def test_pytorch_reports_every_step(self):
        report = {"torch": "2.15", "blas": "mkl", "steps_ms": [5.0, 6.0], "step_ms": 5.5}
        script = f"#!/bin/sh\necho '{json.dumps(report)}'\n"
        python = write_program(self.directory / "python", script)

        run = PyTorch(python, "fp32", "eager", "math").run(Workload(4, 64, 2, 3, 2))

        self.assertEqual(run.step_ms, [5.0, 6.0])
        self.assertEqual(run.about, {"PyTorch": "2.15, BLAS: mkl"})


class Figures(unittest.TestCase):
    def setUp(self):
        self.weft = Weft("weft", "fp32")
        self.eager = PyTorch("python", "fp32", "eager", "math")
        self.compiled = PyTorch("python", "fp32", "compiled", "math")
        self.llmc = LlmC(None, 3)
        everything = [self.weft, self.eager, self.compiled, self.llmc]
        self.comparison = summary.Comparison(everything, B=4, lengths=[64, 256])

    def add(self, program, T, *step_ms):
        self.comparison.runs[program.name, T].append(Run(list(step_ms), len(step_ms) * 10**9))

    def test_the_model_has_the_parameters_that_llmc_prints(self):
        self.assertEqual(summary.parameter_count(), 124475904)

    def test_share_of_the_peak_counts_flops_as_llmc_does(self):
        # 6 x 124,475,904 + 6 x 12 x 768 x 64 = 746,855,424 + 3,538,944 = 750,394,368 per token;
        # 320 of them a second are 240.126 GFLOP/s.
        self.assertEqual(summary.flops_per_token(64), 750394368)
        self.assertAlmostEqual(summary.peak_share(320, 64, 480e9), 0.500263, places=6)

    def test_the_median_is_over_the_steps_of_all_rounds(self):
        self.add(self.weft, 64, 100, 900, 200)
        self.add(self.weft, 64, 400, 500)

        self.assertEqual(self.comparison.tokens_per_s(self.weft.name, 64), 256 / 0.4)
        self.assertEqual(self.comparison.rounds_tokens_per_s(self.weft.name, 64),
                         [256 / 0.45, 256 / 0.2])
        self.assertEqual(self.comparison.peak_bytes(self.weft.name, 64), 3e9)

    def test_ratios_are_to_the_fastest_of_a_family(self):
        self.add(self.weft, 64, 500)
        self.add(self.eager, 64, 1000)
        self.add(self.compiled, 64, 600)
        self.add(self.llmc, 64, 3000)

        self.assertEqual(self.comparison.best("PyTorch", "fp32", 64), self.compiled)
        self.assertAlmostEqual(self.comparison.ratio("PyTorch", "fp32", 64), 1.2)
        self.assertAlmostEqual(self.comparison.ratio("llm.c", "fp32", 64), 6)

    def test_tables_say_what_is_reached_and_leave_out_what_is_missing(self):
        self.add(self.weft, 64, 400)
        self.add(self.eager, 64, 500)
        self.add(self.llmc, 64, 2400)

        self.assertEqual(summary.standing_table(self.comparison, {"fp32": 480e9}), textwrap.dedent(
            """\
            |  | T=64 | T=256 |
            | --- | --- | --- |
            | weft / best PyTorch, fp32 | 1.25, below 1.40 | - |
            | weft / llm.c, fp32 | 6.00, reaches 5.00 | - |
            | weft's share of the fp32 peak | 100.1 %, reaches 75.0 % | - |"""))
        self.assertIn("| PyTorch compiled, math attention, fp32 | - | - |",
                      summary.speed_table(self.comparison))
        self.assertIn("| weft, fp32 | 1.00 | - |", summary.memory_table(self.comparison))

    def test_the_best_of_one_precision_is_no_rival_to_another(self):
        self.add(self.weft, 64, 400)

        self.assertIsNone(self.comparison.ratio("PyTorch", "bf16", 64))

    def test_lengths_that_fail_alike_are_named_together(self):
        self.comparison.left_out = {("a", 64): "no g++", ("a", 256): "no g++",
                                    ("b", 64): "no torch"}

        self.assertEqual(summary.left_out_lines(self.comparison),
                         ["- Left out: a at T=64, 256: no g++", "- Left out: b at T=64: no torch"])


class WholeCommand(TemporaryDirectoryTest):
    def command(self, *arguments):
        weft = write_program(self.directory / "weft", FAKE_WEFT)
        return [sys.executable, COMPARE / "compare.py", "--weft", weft, "--threads", "2",
                "--batch-size", "2", "--seq-len", "64", "--steps", "2", "--rounds", "2", *arguments]

    def compare(self, *arguments):
        return subprocess.run(self.command(*arguments), text=True, capture_output=True, check=False)

    def test_missing_peers_are_named_and_nothing_is_guessed(self):
        result = self.compare("--bf16", "--python", "no/python",
                              "--json", self.directory / "out.json",
                              "--markdown", self.directory / "out.md")

        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("| weft, fp32 | 320 (320 to 320) |", result.stdout)
        self.assertIn("| weft / best PyTorch, fp32 | - |", result.stdout)
        self.assertIn("| weft's share of the fp32 peak | 50.0 %, below 75.0 % |", result.stdout)
        self.assertIn("- Left out: llm.c, fp32 at T=64: no --llmc DIR was given", result.stdout)
        self.assertIn("fp32 at T=64: cannot start no/python: No such file", result.stdout)
        self.assertIn("- Left out: weft, bf16 at T=64: status 1: weft: error:", result.stdout)
        self.assertIn("- Warning: a load of 0.6", result.stdout)
        self.assertEqual((self.directory / "out.md").read_text(), result.stdout)
        record = json.loads((self.directory / "out.json").read_text())
        self.assertEqual([(r["round"], r["step_ms"]) for r in record["runs"]],
                         [(1, [400.0, 400.0]), (2, [400.0, 400.0])])

    def test_a_signal_ends_the_program_that_runs_and_leaves_the_tables(self):
        pid_file = self.directory / "weft.pid"
        command = self.command("--seq-len", "64,1", "--python", "no/python")

        with subprocess.Popen(command, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as process:
            while not (pid_file.exists() and pid_file.read_text().endswith("\n")):
                self.assertIsNone(process.poll())
                time.sleep(0.01)
            process.terminate()
            printed = process.communicate(timeout=300)[0]

        self.assertEqual(process.returncode, 130)
        self.assertIn("- Interrupted: some runs are missing", printed)
        self.assertIn("| weft, fp32 | 320 (320 to 320) | - |", printed)
        with self.assertRaises(ProcessLookupError):
            os.kill(int(pid_file.read_text()), 0)

    def test_lengths_beyond_the_model_are_refused(self):
        result = self.compare("--seq-len", "64,2048")

        self.assertEqual(result.returncode, 2)
        self.assertIn("GPT-2 has at most 1024 tokens", result.stderr)


if __name__ == "__main__":
    unittest.main()
