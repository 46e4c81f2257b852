"""The programs that compare.py runs: how each is started, and how its step times are read."""

import array
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

VOCABULARY = 50257
SHARD_MAGIC, SHARD_VERSION = 20240520, 1  # docs/formats.md, "llm.c token shard"


class LeftOut(Exception):
    """Why a program has no figure: it is not there, or it failed."""


@dataclass(frozen=True)
class Workload:
    """A step is B sequences of T tokens. `warmup` steps come before those that count."""
    B: int
    T: int
    threads: int
    warmup: int
    steps: int


@dataclass(frozen=True)
class Run:
    step_ms: list  # of each step that counts
    peak_bytes: int  # the most memory that the process held
    about: dict = field(default_factory=dict)  # versions


def last_error(text):
    """The line of a failed program's output that says why: an exception if there is one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    exceptions = [line for line in lines if re.match(r"(\w+\.)*\w*(Error|Exception)\b.*:", line)]
    return (exceptions or lines or ["it said nothing"])[-1]


def ending(code):
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"status {code}"


def lines_until(stream, enough):
    """The lines of a stream, up to the first that is enough or to the end; and if one was."""
    lines = []
    for line in stream:
        lines.append(line.rstrip("\n"))
        if enough(lines[-1]):
            return lines, True
    return lines, False


def execute(command, directory=None, environment=None, enough=lambda line: False):
    """Runs a program until it ends, or has printed a line that is enough.

    Returns its lines and its peak memory in bytes. Raises LeftOut where it fails.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as complaints:
        try:
            process = subprocess.Popen(
                [str(word) for word in command], cwd=directory,
                env={**os.environ, **(environment or {})}, text=True, errors="replace",
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints)
        except OSError as error:
            raise LeftOut(f"cannot start {command[0]}: {error.strerror}") from error
        stopped = True
        try:
            lines, stopped = lines_until(process.stdout, enough)
        finally:  # whatever happens, nothing goes on running beside the next program
            if stopped:
                process.kill()
            process.stdout.close()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        complaints.seek(0)
        if process.returncode and not stopped:
            reason = last_error(complaints.read() or "\n".join(lines))
            raise LeftOut(f"{ending(process.returncode)}: {reason}")
    return lines, 1024 * usage.ru_maxrss


def write_random_tokens(path, count):
    """A token shard; speed does not depend on what the tokens are."""
    generator = random.Random(42)
    tokens = array.array("H", (generator.randrange(VOCABULARY) for _ in range(count)))
    header = struct.pack("<256i", SHARD_MAGIC, SHARD_VERSION, count, *[0] * 253)
    path.write_bytes(header + tokens.tobytes())


def shard_tokens(path):
    """How many tokens a shard says that it has."""
    with open(path, "rb") as shard:
        return struct.unpack("<3i", shard.read(12))[2]


class Weft:
    family = "weft"

    def __init__(self, binary, precision):
        self.binary, self.precision = binary, precision
        self.name = f"weft, {precision}"

    def run(self, load):
        with tempfile.TemporaryDirectory(prefix="weft-compare-") as directory:
            tokens, out = Path(directory, "tokens.bin"), Path(directory, "run")
            write_random_tokens(tokens, (load.warmup + load.steps) * load.B * load.T + 1)
            _, peak_bytes = execute(self.command(load, tokens, out))
            return Run(weft_step_ms((out / "metrics.jsonl").read_text(), load.warmup), peak_bytes)

    def command(self, load, tokens, out):
        precision = [] if self.precision == "fp32" else ["--precision", self.precision]
        return [self.binary, "train", "--data", tokens, "--model", "d12", "--batch-size", load.B,
                "--seq-len", load.T, "--steps", load.warmup + load.steps,
                "--threads", load.threads, "--out", out, *precision]


def weft_step_ms(metrics, warmup):
    """From the text of a metrics.jsonl."""
    records = [json.loads(line) for line in metrics.splitlines()]
    return [record["step_ms"] for record in records
            if record["kind"] == "train" and record["step"] > warmup]


class PyTorch:
    family = "PyTorch"

    def __init__(self, python, precision, mode, attention):
        self.python, self.precision, self.mode, self.attention = python, precision, mode, attention
        self.name = f"PyTorch {mode}, {attention} attention, {precision}"

    def run(self, load):
        lines, peak_bytes = execute(self.command(load))
        report = json.loads(lines[-1])
        version = f"{report['torch']}, BLAS: {report['blas']}"
        return Run(report["steps_ms"], peak_bytes, {"PyTorch": version})

    def command(self, load):
        switches = ["--compile"] * (self.mode == "compiled")
        switches += ["--bf16"] * (self.precision == "bf16")
        return [self.python, Path(__file__).with_name("train_pytorch.py"), "-B", load.B,
                "-T", load.T, "--threads", load.threads, "--warmup", load.warmup,
                "--steps", load.steps, "--attention", self.attention, *switches]


class LlmC:
    """llm.c's CPU trainer. T is compiled in: 64 in DIR/train_gpt2, 256 in train_gpt2_T256."""

    family, precision = "llm.c", "fp32"
    name = "llm.c, fp32"
    warmup = 1  # its first step allocates; the others are alike
    most_steps = 40  # it ends after these and the first

    def __init__(self, directory, steps):
        self.directory, self.steps = directory, min(steps, self.most_steps)

    def run(self, load):
        if self.directory is None:
            raise LeftOut("no --llmc DIR was given")
        program = "./train_gpt2" if load.T == 64 else f"./train_gpt2_T{load.T}"
        if not (self.directory / program).exists():
            raise LeftOut(f"there is no {program.removeprefix('./')} in --llmc DIR")
        last = self.warmup + self.steps - 1
        # It leaves its lines in a buffer where it writes into a pipe.
        lines, peak_bytes = execute(["stdbuf", "-oL", program], self.directory,
                                    {"OMP_NUM_THREADS": str(load.threads)},
                                    lambda line: line.startswith(f"step {last}:"))
        require_shape(lines, self.training_tokens(), load)
        return Run(llmc_step_ms(lines)[self.warmup:], peak_bytes)

    def training_tokens(self):
        data = self.directory / "dev" / "data"
        shards = [data / "tinyshakespeare" / "tiny_shakespeare_train.bin",
                  data / "tinystories" / "TinyStories_train.bin"]
        return shard_tokens(next(shard for shard in shards if shard.exists()))


def llmc_step_ms(lines):
    """From the lines that llm.c's trainer prints."""
    took = [re.match(r"step \d+: train loss \S+ \(took ([\d.]+) ms\)", line) for line in lines]
    return [float(match[1]) for match in took if match]


def require_shape(lines, tokens, load):
    """Raises LeftOut if llm.c was built for another B T: it says how many of them the data has."""
    expected = f"train dataset num_batches: {tokens // (load.B * load.T)}"
    if expected not in lines:
        raise LeftOut(f"built for another B or T: it did not print '{expected}'")


def describe_machine(weft, threads):
    """What `weft doctor` says of this machine."""
    lines, _ = execute([weft, "doctor", "--json", "--threads", threads])
    return json.loads("\n".join(lines))


def llmc_commit(directory):
    """The commit of a clone of llm.c, or None."""
    if directory is None or not shutil.which("git"):
        return None
    try:
        return execute(["git", "rev-parse", "--short=12", "HEAD"], directory)[0][0]
    except LeftOut:
        return None
