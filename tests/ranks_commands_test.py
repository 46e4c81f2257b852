#!/usr/bin/env python3
"""Runs `weft bench comm`, `weft bench step`, `weft scaling` and `weft doctor` on several ranks of one machine.

    tests/ranks_commands_test.py build/weft mpirun.openmpi
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

WEFT, LAUNCHER = sys.argv[1:3]

# Open MPI refuses to start as root, and more ranks than cores.
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_mpi_yield_when_idle="1",
                   OMP_WAIT_POLICY="passive")
MODEL = "L=2,NH=2,C=32,T=16,V=300"
TRANSFERS = {"message", "reduce", "broadcast", "all-reduce", "all-gather", "exchange"}


def run_ranks(ranks, *arguments):
    return subprocess.run([LAUNCHER, "-np", str(ranks), WEFT, *arguments], env=ENVIRONMENT,
                          capture_output=True, text=True, timeout=240, stdin=subprocess.DEVNULL)


class RanksCommands(unittest.TestCase):
    def bench(self, ranks, *flags):
        done = run_ranks(ranks, "bench", "comm", "--json", *flags)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_bench_times_every_transfer_at_every_size(self):
        for ranks in (2, 3):
            result = self.bench(ranks, "--largest-mb", "1")

            self.assertEqual(result["ranks"], ranks)
            self.assertEqual(result["hosts"], 1)
            self.assertNotEqual(result["mpi"], "none")
            sizes = [4, 4096, 65536, 1 << 20]
            self.assertEqual({(t["transfer"], t["bytes"]) for t in result["transfers"]},
                             {(name, size) for name in TRANSFERS for size in sizes})
            for t in result["transfers"]:
                self.assertGreater(t["us"]["min"], 0, t)
                self.assertLessEqual(t["us"]["min"], t["us"]["median"], t)
                self.assertLessEqual(t["us"]["median"], t["us"]["max"], t)
            messages = [t for t in result["transfers"] if t["transfer"] == "message"]
            self.assertEqual(messages[-1]["bytes_per_s"], result["link_bytes_per_s"])
            self.assertEqual(messages[0]["us"]["min"], result["latency_us"])

    def test_what_a_rank_must_send_follows_the_number_of_ranks(self):
        sent = {t["transfer"]: t["sent_bytes"]
                for t in self.bench(4, "--largest-mb", "1")["transfers"] if t["bytes"] == 1 << 20}

        mib = 1 << 20
        self.assertEqual(sent, {"message": mib, "reduce": mib, "broadcast": mib,
                                "all-reduce": 1.5 * mib, "all-gather": 0.75 * mib,
                                "exchange": 0.75 * mib})

    def test_bench_compares_with_a_link_that_is_given(self):
        result = self.bench(2, "--largest-mb", "1", "--link-gbps", "8")

        self.assertEqual(result["link_bytes_per_s"], 1e9)
        for t in result["transfers"]:
            self.assertAlmostEqual(t["share"], t["bytes_per_s"] / 1e9)

    def test_bench_prints_one_table(self):
        done = run_ranks(2, "bench", "comm", "--largest-mb", "1")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("2 ranks on 1 host"), 1)
        for name in TRANSFERS:
            self.assertEqual(done.stdout.count(f"\n{name} "), 4, done.stdout)

    def test_a_wrong_flag_is_one_error(self):
        done = run_ranks(2, "bench", "comm", "--largest-mb", "0")

        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stderr.count("weft: error: "), 1, done.stderr)

    def check_efficiency(self, e):
        self.assertGreater(e["parallel"], 0)
        self.assertLessEqual(e["ideal_run_ms"], e["run_ms"] * (1 + 1e-9))
        self.assertLessEqual(e["serialization"], 1 + 1e-9)
        self.assertAlmostEqual(e["load_balance"] * e["communication"], e["parallel"])
        self.assertAlmostEqual(e["serialization"] * e["transfer"], e["communication"])
        product, added = e["multiplicative"], e["additive"]
        self.assertAlmostEqual(product["process"]["parallel"] * product["thread"]["parallel"],
                               e["parallel"])
        self.assertAlmostEqual(added["process"] + added["thread"] - 1, e["parallel"])

    def test_a_step_of_every_strategy_has_an_efficiency_of_all_ranks(self):
        losses = set()
        for dist in ("all-reduce", "sharded", "server"):
            done = run_ranks(2, "bench", "step", "--json", "--model", MODEL, "--batch-size", "2",
                             "--threads", "2", "--steps", "3", "--dist", dist)
            self.assertEqual(done.returncode, 0, done.stderr)
            result = json.loads(done.stdout)

            self.assertEqual((result["ranks"], result["dist"]), (2, dist))
            self.assertEqual(result["tokens_per_step"], 2 * 2 * 16)
            self.check_efficiency(result["efficiency"])
            phases = result["phases"]
            self.assertGreater(phases["communication"]["thread_ms"], 0)
            self.assertAlmostEqual(sum(p["thread_ms"] + p["idle_ms"] for p in phases.values()),
                                   4 * result["efficiency"]["run_ms"], places=6)
            losses.add(round(result["loss"], 4))
        self.assertEqual(len(losses), 1, losses)

    def test_scaling_starts_the_ranks(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "scaling.json")
            done = subprocess.run(
                [WEFT, "scaling", "--model", MODEL, "--ranks", "1,2", "--threads", "1", "--steps",
                 "3", "--rounds", "1", "--launcher", LAUNCHER, "--json", file],
                env=ENVIRONMENT, capture_output=True, text=True, timeout=240)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(file, encoding="utf-8") as text:
                one, two = json.load(text)["configurations"]

        self.assertIn("tasks, 2 ranks x 1 thread", done.stderr)
        self.assertIn("multiplicative", done.stdout)
        self.assertEqual((one["ranks"], two["ranks"]), (1, 2))
        self.assertEqual(one["tokens_per_step"], two["tokens_per_step"])
        self.assertEqual(one["efficiency"]["transfer"], 1)
        self.check_efficiency(two["efficiency"])

    def test_scaling_is_not_for_ranks(self):
        done = run_ranks(2, "scaling", "--model", MODEL)

        self.assertNotEqual(done.returncode, 0)
        self.assertIn("one of several ranks already", done.stderr)

    def test_the_doctor_speaks_once_and_counts_ranks(self):
        done = run_ranks(2, "doctor")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("\nranks  "), 1, done.stdout)
        self.assertIn("rank 0 of 2, 2 on this host", done.stdout)

    def test_the_doctor_sees_what_open_mpi_binds_one_rank_to(self):
        cpus = len(os.sched_getaffinity(0))
        version = subprocess.run([LAUNCHER, "--version"], capture_output=True, text=True).stdout
        if "Open MPI" not in version:
            self.skipTest("this mpirun does not bind")
        done = run_ranks(1, "doctor", "--json")

        result = json.loads(done.stdout)
        if result["cores"] < 2 or cpus < result["cpus"]:
            self.skipTest("there is one core, or less than the machine to begin with")
        self.assertLess(result["usable_cpus"], cpus)
        self.assertTrue(any(w["what"].startswith("1 rank runs here, and all threads")
                            and "--map-by slot:PE=" in w["hint"] for w in result["warnings"]),
                        result["warnings"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
