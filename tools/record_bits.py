#!/usr/bin/env python3
"""Records the SHA-256 of what a weft program leaves behind, and compares another program with the recording.

    tools/record_bits.py build/weft --out bits.json
    tools/record_bits.py build/weft --compare bits.json
    tools/record_bits.py build/weft --compare bits.json --only 'ranks/*'
    tools/record_bits.py --list

For changes that must not change a bit: record before, compare after. Tiny models are trained with
every executor, number of ranks, strategy and setting that tools/bits_configurations.py lists, and
the other commands are run on them. Recorded are the weights, the moments, the state (but its
times), the losses and norms as the log spells them, the samples, and every file that a command
writes. A configuration that this CPU or this build refuses is recorded as refused, one that cannot
be tried is skipped, and both are named; anything else that fails ends with status 1.

Bits depend on the instruction set and on the library of matrix products, so a recording holds one
part for each pair that `weft doctor` names, and --out keeps the parts of other machines. Variables
of the environment reach the program: LIBXSMM_TARGET=snb, for example, takes the products from
OpenBLAS. Exit status: 0 the same; 1 something differs or failed; 2 not comparable. Needs Python 3.
"""

import argparse
import fnmatch
import hashlib
import json
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bits_configurations import CONFIGURATIONS, TRAINING
from crash_campaign import ENVIRONMENT

LONGEST_S = 300  # of one command, on a busy machine
NOTE = ("SHA-256 of what weft leaves behind, by instruction set and library of matrix products. "
        "Written and compared by tools/record_bits.py.")


class Failed(Exception):
    """A configuration that went wrong."""


class Refused(Exception):
    """A configuration that this CPU cannot run."""


class Skipped(Exception):
    """A configuration that cannot be tried here."""


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def flag_list(flags):
    """{"grad_clip": 0, "resume": True, "val": None} is --grad-clip 0 --resume."""
    words = []
    for name, value in flags.items():
        if value is None or value is False:
            continue
        words.append("--" + name.replace("_", "-"))
        if value is not True:
            words += map(str, value if isinstance(value, list) else [value])
    return words


def numbers_as_text(text):
    """JSON whose numbers stay as they are spelled: they then differ if a bit does."""
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)


def state_without_times(path):
    state = numbers_as_text(path.read_text())
    state.pop("elapsed_s")
    return json.dumps(state, sort_keys=True).encode()


def log_entries(records):
    """Of metrics.jsonl, all that is not a time: the numbers of the steps and validations, the samples."""
    kinds = {"train": ("step", "loss", "lr", "grad_norm", "tokens"), "val": ("step", "loss"),
             "sample": ("step", "text")}
    found = {kind: [[r.get(field) for field in fields] for r in records if r["kind"] == kind]
             for kind, fields in kinds.items()}
    entries = {f"log/{kind}": sha256(json.dumps(lines).encode())
               for kind, lines in found.items() if lines}
    return dict(entries, **{"log/last loss": found["train"][-1][1]})


class Weft:
    """The program in a directory of its own, where all paths are relative: no hash may know the place."""

    def __init__(self, program, directory, launcher=None, variables=None):
        self.program = Path(program).resolve()
        self.directory = Path(directory)
        self.launcher = launcher
        self.environment = dict(ENVIRONMENT, **(variables or {}))
        self.machine = self.describe_machine()

    def describe_machine(self):
        """What the bits depend on, and what else a reader of the recording may want to know."""
        about = json.loads(self.run("doctor", "--json").stdout)
        version = self.run("--version").stdout.decode()
        compiler = re.search(r"^compiler +(.*)$", version, re.MULTILINE)
        return {"target": f"{about['vector_target']}, {about['gemm']}",
                "bf16 by": ", ".join(about["peak_bf16_of"]) or "nothing",
                "weft": f"{about['version']}, commit {about['commit']}",
                "compiler": compiler[1] if compiler else "unknown",
                "C library": " ".join(platform.libc_ver()), "MPI": about["mpi"],
                "CPU": about["cpu"], "vector units": about["vector_units"]}

    # ---- Running.

    def launched(self, ranks, words):
        """The command on ranks that the launcher starts, or with 0 without it."""
        command = [str(self.program), *map(str, words)]
        if ranks == 0:
            return command
        if self.machine["MPI"] == "none":
            raise Skipped("this weft was built without MPI")
        if self.launcher is None or shutil.which(self.launcher) is None:
            raise Skipped(f"there is no launcher {self.launcher} to start ranks with")
        return [self.launcher, "-np", str(ranks), *command]

    def run(self, *words, ranks=0):
        try:
            done = subprocess.run(self.launched(ranks, words), cwd=self.directory, env=self.environment,
                                  capture_output=True, timeout=LONGEST_S, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            raise Failed(f"still running after {LONGEST_S} s") from None
        errors = done.stderr.decode(errors="replace")
        if done.returncode == 2 and re.search(r"error: .*--precision bf16: the CPU has ", errors):
            raise Refused("bf16")
        if done.returncode != 0:
            raise Failed(f"exit status {done.returncode}: {' | '.join(errors.splitlines()[-3:])}")
        return done

    def printed(self, *words):
        return {"stdout": sha256(self.run(*words).stdout)}

    def files(self, *paths):
        """Every file there, by its name; of a directory, every file in it."""
        found = {}
        for path in map(self.directory.joinpath, paths):
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if file.is_file():
                    found[str(file.relative_to(self.directory))] = sha256(file.read_bytes())
        if not found:
            raise Failed(f"nothing was left in {', '.join(paths)}")
        return found

    def written(self, *words, files):
        """What a command leaves in these files and directories, which are removed again."""
        self.run(*words)
        found = self.files(*files)
        for path in map(self.directory.joinpath, files):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return found

    # ---- Training.

    def run_training(self, out, ranks, flags):
        done = self.run("train", *flag_list({**TRAINING, **flags, "out": out}), ranks=ranks)
        seen = [record["ranks"] for record in self.log(out) if record["kind"] == "run"][-1]
        if seen != str(max(ranks, 1)):
            raise Failed(f"the launcher started {ranks} ranks, and weft saw {seen}")
        return done.stderr.decode(errors="replace")

    def log(self, out):
        text = (self.directory / out / "metrics.jsonl").read_text()
        return [numbers_as_text(line) for line in text.splitlines()]

    def checkpoints(self, out):
        return sorted((self.directory / out / "checkpoints").glob("step_*"))

    def left_by(self, out):
        last = self.checkpoints(out)[-1]
        entries = {file.name: sha256(file.read_bytes()) for file in sorted(last.iterdir())
                   if file.name != "state.json"}
        entries["state.json"] = sha256(state_without_times(last / "state.json"))
        entries["step"] = last.name
        return entries | log_entries(self.log(out))

    def train(self, ranks=0, **flags):
        """What a run of `weft train` leaves; the flags change TRAINING's."""
        try:
            self.run_training("run", ranks, flags)
            return self.left_by("run")
        finally:
            shutil.rmtree(self.directory / "run", ignore_errors=True)

    def train_and_resume(self, ranks=0, resumed_on=None, again=None, **flags):
        """Trains to the end, goes on from the checkpoint before the last, and wants the same bits."""
        try:
            self.run_training("run", ranks, flags)
            whole = self.left_by("run")
            shutil.rmtree(self.checkpoints("run")[-1])
            ranks = ranks if resumed_on is None else resumed_on
            progress = self.run_training("run", ranks, {**flags, **(again or {}), "resume": True})
            resumed = self.left_by("run")
        finally:
            shutil.rmtree(self.directory / "run", ignore_errors=True)
        if "resumed from" not in progress:
            raise Failed("the second run did not resume")
        # The state says how many micro-steps a rank had, which other ranks may change.
        other = [name for name in whole if whole[name] != resumed.get(name)
                 and not (name == "state.json" and resumed_on is not None)]
        if other:
            raise Failed(f"resumed, the run left another {', '.join(other)}")
        return resumed

    def stop_and_resume(self, **flags):
        """Stops a run by SIGTERM wherever it then is, and goes on."""
        try:
            self.stop_by_signal("run", flags)
            self.run_training("run", 0, {**flags, "resume": True})
            return self.left_by("run")
        finally:
            shutil.rmtree(self.directory / "run", ignore_errors=True)

    def stop_by_signal(self, out, flags):
        command = self.launched(0, ["train", *flag_list({**TRAINING, **flags, "out": out})])
        metrics = self.directory / out / "metrics.jsonl"
        deadline = time.monotonic() + LONGEST_S
        run = subprocess.Popen(command, cwd=self.directory, env=self.environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not (metrics.exists() and '"step":2,' in metrics.read_text()):
            if run.poll() is not None or time.monotonic() > deadline:
                run.kill()
                raise Failed(f"no second step; exit status {run.wait()}")
            time.sleep(0.005)
        run.send_signal(signal.SIGTERM)
        if run.wait(LONGEST_S) != 143:
            raise Failed(f"exit status {run.returncode} after SIGTERM instead of 143")

    # ---- What several configurations start from.

    def made(self, name, *words):
        """The file or directory of that name, which the command makes the first time."""
        if not (self.directory / name).exists():
            self.run(*words)
        return name

    def text(self):
        """Words of few syllables, so that a tokenizer finds something to merge; not only ASCII."""
        path = self.directory / "text.txt"
        if not path.exists():
            heads, tails = ["ba", "lu", "no", "ki", "tra", "é", "sho"], ["ri", "mel", "to", "ße", "ng"]
            words = [f"{heads[i * i % 7]}{tails[i * 3 % 5]}{heads[(i // 5) % 7] if i % 3 else ''}"
                     for i in range(35)]
            lines = [" ".join(words[(i * k + k * k) % 35] for k in range(2, 6 + i % 5))
                     for i in range(400)]
            path.write_text("".join(f"{line.capitalize()}, {i % 13}.\n" for i, line in enumerate(lines)))
        return path.name

    def model(self):
        """A run directory, trained for long enough that its texts are not noise alone."""
        return self.made("model", "train", *flag_list(
            {**TRAINING, "out": "model", "steps": 30, "lr": "3e-3", "sample_every": None}))

    def converted(self, target, dtype=None):
        return self.made(target, "convert", "--from", self.model(), "--to", target,
                         *flag_list({"dtype": dtype}))

    def tokenizer(self):
        return self.made("tokenizer", "tokenizer", "train", self.text(), "--vocab-size", 300,
                         "--out", "tokenizer")

    def shard(self, name, tokenizer, **flags):
        return self.made(name, "tokenize", self.text(), "--tokenizer", tokenizer, "--out", name,
                         *flag_list(flags))


def record_one(weft, name):
    try:
        return CONFIGURATIONS[name](weft)
    except Refused as refusal:
        return {"refused": str(refusal)}
    except Skipped as reason:
        return {"skipped": str(reason)}


def record(weft, names):
    """What each configuration left, and what went wrong with those that are missing."""
    weft.text()
    bits, failures = {}, {}
    for number, name in enumerate(names, 1):
        begin = time.monotonic()
        try:
            bits[name] = record_one(weft, name)
        except (Failed, OSError, ValueError, LookupError) as failure:
            failures[name] = f"{type(failure).__name__}: {failure}"
        print(f"{number:4} of {len(names)}  {time.monotonic() - begin:5.1f} s  {name}", file=sys.stderr)
    return bits, failures


def read(path):
    """The recordings of a file: by target, the machine and the bits."""
    return json.loads(Path(path).read_text())["recordings"]


def write(path, machine, bits):
    """Keeps what the file holds of other targets."""
    recordings = read(path) if Path(path).exists() else {}
    recordings[machine["target"]] = {"machine": machine, "bits": bits}
    Path(path).write_text(json.dumps({"note": NOTE, "recordings": dict(sorted(recordings.items()))},
                                     indent=1, ensure_ascii=False) + "\n")


class Comparison:
    """What differs between a recording and what was found; what could not be compared, and why."""

    def __init__(self, recording, machine, bits):
        self.same = 0
        self.differences = []
        self.not_compared = []
        self.notes = [f"{what}: {recording['machine'].get(what)} when recorded, {machine[what]} now"
                      for what in ("compiler", "C library", "MPI")
                      if recording["machine"].get(what) != machine[what]]
        for name, found in bits.items():
            self.compare(name, recording["bits"].get(name), found,
                         recording["machine"]["bf16 by"] == machine["bf16 by"])

    def compare(self, name, recorded, found, same_bf16):
        if recorded is None:
            self.not_compared.append(f"{name}: not in the recording")
        elif "skipped" in recorded or "skipped" in found:
            when = "when recorded" if "skipped" in recorded else "now"
            reason = recorded.get("skipped") or found.get("skipped")
            self.not_compared.append(f"{name}: skipped {when}, {reason}")
        elif name.startswith("bf16/") and not same_bf16:
            self.not_compared.append(f"{name}: the CPUs have other units for bf16")
        else:
            entries = [entry for entry in sorted({*recorded, *found})
                       if recorded.get(entry) != found.get(entry)]
            self.same += not entries
            self.differences += [f"{name}: {entry}{self.values(recorded, found, entry)}"
                                 for entry in entries]

    @staticmethod
    def values(recorded, found, entry):
        values = [side.get(entry, "none") for side in (recorded, found)]
        return f" was {values[0]}, is {values[1]}" if max(map(len, values)) < 40 else ""

    def missing(self, names):
        """Of a recording that should be whole, what the program no longer runs."""
        self.differences += [f"{name}: recorded, and no longer run" for name in names]

    def report(self):
        lines = [f"DIFFERS  {line}" for line in self.differences]
        lines += [f"not compared  {line}" for line in self.not_compared]
        if self.differences:
            lines += [f"note  {line}" for line in self.notes]
        count = len({line.split(": ")[0] for line in self.differences})
        return lines + [f"{self.same} configurations left the recorded bits, {count} did not, "
                        f"{len(self.not_compared)} were not compared"]


def write_recording(weft, names, path):
    bits, failures = record(weft, names)
    for word in ("refused", "skipped"):
        for name, entries in bits.items():
            if word in entries:
                print(f"{word}  {name}: {entries[word]}")
    if print_failures(failures):
        print(f"{len(failures)} configurations failed: {path} is not written")
        return 1
    write(path, weft.machine, bits)
    count = sum("refused" not in entries and "skipped" not in entries for entries in bits.values())
    print(f"{count} configurations recorded, {len(bits) - count} refused or skipped")
    return 0


def print_failures(failures):
    for name, failure in failures.items():
        print(f"FAILED  {name}: {failure}")
    return bool(failures)


def compare_with(recording, weft, names, missing=()):
    """The exit status, after a report of what differs. `missing` are recorded and cannot be run."""
    bits, failures = record(weft, names)
    comparison = Comparison(recording, weft.machine, bits)
    comparison.missing(missing)
    failed = print_failures(failures)
    print("\n".join(comparison.report()))
    return 1 if failed or comparison.differences else 0


def compare_recording(weft, names, path, pattern):
    recordings = read(path)
    target = weft.machine["target"]
    if target not in recordings:
        print(f"{path} holds recordings of {'; '.join(recordings)}. This is {target}, whose bits may "
              "differ: record it here by --out, with the program of before.")
        return 2
    missing = [name for name in recordings[target]["bits"]
               if name not in CONFIGURATIONS and fnmatch.fnmatchcase(name, pattern)]
    return compare_with(recordings[target], weft, names, missing)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weft", type=Path, nargs="?", help="the program, for example build/weft")
    parser.add_argument("--out", type=Path, help="the recording to write")
    parser.add_argument("--compare", type=Path, help="the recording to compare with")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="names, as *tasks-2*")
    parser.add_argument("--launcher", default="mpirun", help="of the MPI library that weft has")
    parser.add_argument("--list", action="store_true", help="print the names of the configurations")
    arguments = parser.parse_args()
    names = [name for name in CONFIGURATIONS if fnmatch.fnmatchcase(name, arguments.only)]
    if arguments.list:
        print("\n".join(names))
        return 0
    if arguments.weft is None or (arguments.out is None) == (arguments.compare is None):
        parser.error("name the program, and either --out or --compare")
    if not names:
        parser.error(f"no configuration is called {arguments.only}; --list prints them")
    with tempfile.TemporaryDirectory(prefix="weft_bits_") as directory:
        try:
            weft = Weft(arguments.weft, directory, arguments.launcher)
            if arguments.out:
                return write_recording(weft, names, arguments.out)
            return compare_recording(weft, names, arguments.compare, arguments.only)
        except (Failed, OSError, ValueError, LookupError) as error:
            print(f"{type(error).__name__}: {error}")
            return 2


if __name__ == "__main__":
    sys.exit(main())
