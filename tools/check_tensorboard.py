#!/usr/bin/env python3
"""Checks that TensorBoard shows of a run what its metrics.jsonl says.

    pip install tensorboard
    tools/check_tensorboard.py RUN_DIR             reads the event files with TensorBoard's own reader
    tools/check_tensorboard.py RUN_DIR --serve     also asks a TensorBoard server, over HTTP

RUN_DIR is the --out of `weft train --tensorboard`, of a run that was killed and resumed or not.
Every number of metrics.jsonl must be there at its step, equal as float32 and once, every text too,
and nothing else; times must lie between the start of a file and its last change, in order.

The exit status is 1 if something differs, 77 without TensorBoard.
"""

import argparse
import json
import math
import os
import re
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import defaultdict
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

SERVER_STARTS_S = 60


def float32(number):
    """The nearest float32, and NaN for what JSON could not write."""
    return math.nan if number is None else struct.unpack("<f", struct.pack("<f", number))[0]


def shown(series):
    """Values of steps so that equal lists are equal, NaN included."""
    return [(step, "nan" if isinstance(value, float) and math.isnan(value) else value)
            for step, value in series]


def without_indent(text):
    """The text that is shown as code: every line stands behind four spaces."""
    lines = text.split("\n")
    if not all(line.startswith("    ") for line in lines):
        raise ValueError(f"no indented code: {text!r}")
    return "\n".join(line[4:] for line in lines)


class Metrics:
    """What metrics.jsonl says, by TensorBoard's tags."""

    def __init__(self, path):
        self.scalars = defaultdict(list)
        self.texts = defaultdict(list)
        self.runs = []
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            if record["kind"] == "run":
                self.runs.append((record["first_step"] - 1, record))
                continue
            for field, value in record.items():
                if field not in ("kind", "step"):
                    to, value = (self.texts, value) if isinstance(value, str) else \
                                (self.scalars, float32(value))
                    to[f"{record['kind']}/{field}"].append((record["step"], value))


class Checks:
    def __init__(self):
        self.failed = 0

    def expect(self, holds, what):
        print(f"{'ok    ' if holds else 'FAILED'} {what}", flush=True)
        self.failed += not holds

    def same(self, name, found, expected):
        found, expected = shown(found), shown(expected)
        differ = [pair for pair in zip(found, expected) if pair[0] != pair[1]][:3]
        self.expect(found == expected, f"{name}: {len(found)} of {len(expected)} values"
                                       + "".join(f"; {f} is not {e}" for f, e in differ))


def check_files(run, metrics, checks):
    """By the classes with which TensorBoard itself loads event files."""
    files = EventAccumulator(str(run), size_guidance={"scalars": 0, "tensors": 0})
    files.Reload()
    texts = {tag: [(e.step, e.tensor_proto.string_val[0].decode()) for e in files.Tensors(tag)]
             for tag in files.Tags()["tensors"]}
    scalars = {tag: [(e.step, e.value) for e in files.Scalars(tag)]
               for tag in files.Tags()["scalars"]}
    checks.expect(scalars.keys() == metrics.scalars.keys(), f"scalars {sorted(scalars)}")
    for tag, series in sorted(scalars.items()):
        checks.same(tag, series, metrics.scalars[tag])
    check_texts({tag: [(step, without_indent(text)) for step, text in series]
                 for tag, series in texts.items()}, metrics, checks)


def check_texts(texts, metrics, checks):
    runs = [(step, json.loads(text)) for step, text in texts.pop("run/description")]
    checks.same("run/description", runs, metrics.runs)
    configs = texts.pop("run/config")
    checks.same("steps of run/config", [(s, "") for s, _ in configs], [(s, "") for s, _ in runs])
    checks.expect(all("tensorboard = true" in text for _, text in configs), "run/config")
    checks.expect(texts.keys() == metrics.texts.keys(), f"texts {sorted(texts)}")
    for tag, series in sorted(texts.items()):
        checks.same(tag, series, metrics.texts[tag])


def check_times(run, checks):
    """Of the events of each file; those of the next file come later."""
    last = 0.0
    for path in sorted(run.glob("events.out.tfevents.*")):
        times = [event.wall_time for event in EventFileLoader(str(path)).Load()]
        checks.expect(times == sorted(times) and last <= times[0]
                      and times[-1] <= path.stat().st_mtime + 1,
                      f"times of {path.name}: {len(times)} events in {times[-1] - times[0]:.3f} s")
        last = times[-1]


class Server:
    """A TensorBoard of its own on a free port."""

    def __init__(self, run):
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            port = probe.getsockname()[1]
        self.url = f"http://localhost:{port}/data/plugin"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tensorboard.main", "--logdir", str(run), "--port", str(port),
             "--samples_per_plugin", "scalars=1000000,text=1000000"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def get(self, path, **query):
        url = f"{self.url}/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=SERVER_STARTS_S) as answer:
            return json.load(answer)

    def tags(self, expected):
        """The tags of the run; waits until the server has read as much as there is."""
        deadline = time.monotonic() + SERVER_STARTS_S
        while True:
            try:
                tags = set(self.get("scalars/tags").get(".", {}))
            except (urllib.error.URLError, ConnectionError):
                tags = set()
            if tags >= expected or time.monotonic() > deadline:
                return tags
            time.sleep(0.5)


def check_server(run, metrics, checks):
    with Server(run) as server:
        tags = server.tags(metrics.scalars.keys())
        checks.expect(tags == metrics.scalars.keys(), f"served scalars: {len(tags)}")
        for tag, expected in sorted(metrics.scalars.items()):
            series = server.get("scalars/scalars", run=".", tag=tag)
            # JSON of the server has no NaN.
            found = [(step, math.nan if isinstance(value, str) else value)
                     for _, step, value in series]
            checks.same(f"served {tag}", found, expected)
        for tag, expected in sorted(metrics.texts.items()):
            series = server.get("text/text", run=".", tag=tag)
            checks.same(f"steps of served {tag}", [(text["step"], "") for text in series],
                        [(step, "") for step, _ in expected])
            checks.expect(all(re.search("<pre><code>", text["text"]) for text in series),
                          f"served {tag} is shown as it is")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--serve", action="store_true")
    arguments = parser.parse_args()
    checks = Checks()
    metrics = Metrics(arguments.run / "metrics.jsonl")
    check_files(arguments.run, metrics, checks)
    check_times(arguments.run, checks)
    if arguments.serve:
        check_server(arguments.run, metrics, checks)
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
