#!/usr/bin/env python3
"""Tests examples/slurm: that bash reads them, that weft has their flags, and what they do when a run ends.

    tests/slurm_examples_test.py WEFT [ROOT]

Stand-ins take the place of srun, mpirun, scontrol and weft; no Slurm is needed.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

WEFT = Path(sys.argv[1]).resolve()
ROOT = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent.parent).resolve()
SCRIPTS = sorted((ROOT / "examples" / "slurm").glob("*.sbatch"))

# Each appends its name and arguments to $LOG. A launcher then does as the ranks of $RANKS do.
RECORD = '#!/bin/bash\necho "$(basename "$0") $*" >>"$LOG"\n'
LAUNCHER = RECORD + """
case $RANKS in
  exit*) exit "${RANKS#exit}" ;;
  stop)
    trap 'exit 143' USR1
    trap 'exit 1' TERM  # as mpirun does, which gives ranks no time
    touch "$LOG.started"
    while true; do sleep 0.05; done ;;
esac
"""


def commands(script):
    """[(command of weft, its flags)] in a script."""
    text = script.read_text().replace("\\\n", " ")
    for line in text.splitlines():
        found = re.search(r'(?:"\$weft"|build/weft) ([a-z]+)(.*)', line)
        if found and not line.startswith("#"):
            yield found[1], re.findall(r"(?<=\s)--[a-z-]+", found[2])


class SlurmExamples(unittest.TestCase):
    def test_there_are_some_and_bash_reads_them(self):
        self.assertGreaterEqual(len(SCRIPTS), 3)
        for script in SCRIPTS:
            with self.subTest(script=script.name):
                done = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_shellcheck_finds_nothing(self):
        if not shutil.which("shellcheck"):
            self.skipTest("there is no shellcheck")
        done = subprocess.run(["shellcheck", *map(str, SCRIPTS)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_weft_has_their_flags(self):
        for script in SCRIPTS:
            used = list(commands(script))
            self.assertTrue(used, script)
            for command, flags in used:
                text = subprocess.run([str(WEFT), command, "--help"], capture_output=True,
                                      text=True, check=True).stdout
                known = set(re.findall(r"--[a-z-]+", text))
                with self.subTest(script=script.name, command=command):
                    self.assertGreater(len(flags), 5)
                    self.assertEqual([flag for flag in flags if flag not in known], [])

    def test_they_ask_slurm_for_a_signal_a_second_run_and_cpus_for_threads(self):
        for script in SCRIPTS:
            text = script.read_text()
            with self.subTest(script=script.name):
                self.assertRegex(text, r"(?m)^#SBATCH --signal=(B:)?USR1@300$")
                self.assertRegex(text, r"(?m)^#SBATCH --requeue$")
                self.assertRegex(text, r"(?m)^#SBATCH --cpus-per-task=\d+$")
                self.assertIn("--resume", text)
                self.assertIn('--threads "$SLURM_CPUS_PER_TASK"', text)
                # Slurm reads its lines until the first command.
                self.assertNotIn("#SBATCH", text.partition("set -euo pipefail")[2])

    def start(self, script, directory, ranks):
        for name in ("srun", "mpirun"):
            (directory / name).write_text(LAUNCHER)
        (directory / "scontrol").write_text(RECORD)
        for name in ("srun", "mpirun", "scontrol"):
            (directory / name).chmod(0o755)
        environment = {**os.environ, "PATH": f"{directory}:{os.environ['PATH']}", "RANKS": ranks,
                       "LOG": str(directory / "log"), "SLURM_CPUS_PER_TASK": "16",
                       "SLURM_JOB_ID": "42"}
        return subprocess.Popen(["bash", str(script)], env=environment, stderr=subprocess.PIPE)

    def log(self, directory):
        return (directory / "log").read_text().splitlines()

    def ended(self, job):
        _, err = job.communicate(timeout=30)
        return job.returncode, err

    def test_only_a_run_that_stopped_and_saved_is_queued_again(self):
        for script in SCRIPTS:
            for status in (0, 1, 2, 137, 143):
                with self.subTest(script=script.name, status=status), \
                        tempfile.TemporaryDirectory() as name:
                    directory = Path(name)
                    job = self.start(script, directory, f"exit{status}")
                    self.assertEqual(self.ended(job)[0], status)
                    launched, *rest = self.log(directory)
                    self.assertRegex(launched, r"^(srun|mpirun) .* train .*--threads 16 .*--resume$")
                    self.assertEqual(rest, ["scontrol requeue 42"] if status == 143 else [])

    def test_the_one_that_slurm_signals_itself_passes_it_on(self):
        for number in (signal.SIGUSR1, signal.SIGTERM):
            with self.subTest(signal=number.name), tempfile.TemporaryDirectory() as name:
                directory = Path(name)
                script = ROOT / "examples" / "slurm" / "multi_node_mpirun.sbatch"
                job = self.start(script, directory, "stop")
                deadline = time.monotonic() + 60
                while not (directory / "log.started").exists():
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.02)
                job.send_signal(number)
                self.assertEqual(self.ended(job)[0], 143)
                self.assertEqual(self.log(directory)[1:], ["scontrol requeue 42"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
